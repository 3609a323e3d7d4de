"use strict";
(() => {
  const form = document.getElementById("resume");
  let sealed = null;
  let address = null;
  try {
    sealed = sessionStorage.getItem("portcullis.form." + form.dataset.id);
    address = sessionStorage.getItem("portcullis.address." + form.dataset.id);
    sessionStorage.removeItem("portcullis.address." + form.dataset.id);
  } catch {}
  if (address !== null) {
    const there = new URL(address, location.origin);
    if (there.origin === location.origin) {
      location.replace(there.href);
      return;
    }
  }
  if (sealed === null) {
    document.getElementById("well").hidden = true;
    document.getElementById("failed").hidden = false;
    return;
  }
  form.elements.sealed.value = sealed;
  form.submit();
})();
