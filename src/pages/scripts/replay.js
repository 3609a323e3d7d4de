"use strict";
(async () => {
  const form = document.getElementById("replay");
  form.addEventListener("submit", () => {
    const prefix = "portcullis.form.";
    try {
      // From here on it must not be sent a second time.
      Object.keys(sessionStorage).filter((key) => key.startsWith(prefix)).forEach((key) => sessionStorage.removeItem(key));
    } catch {}
  });

  const { type, body } = document.getElementById("multipart")?.dataset ?? {};
  if (body === undefined) return;
  const field = (name, type) => {
    const input = document.createElement("input");
    input.type = type;
    input.name = name;
    input.hidden = true;
    form.append(input);
    return input;
  };
  try {
    const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
    // Who wrote it reads it: the browser itself.
    const fields = await new Response(bytes, { headers: { "content-type": type } }).formData();
    for (const [name, value] of fields) {
      if (typeof value === "string") {
        field(name, "hidden").value = value;
      } else {
        const files = new DataTransfer();
        if (value.name !== "" || value.size > 0) files.items.add(value);
        field(name, "file").files = files.files;
      }
    }
    document.getElementById("send").hidden = false;
  } catch {
    document.getElementById("well").hidden = true;
    document.getElementById("failed").hidden = false;
  }
})();
