"use strict";
(() => {
  const prefix = "portcullis.form.";
  try {
    // From here on it must not be sent a second time.
    Object.keys(sessionStorage).filter((key) => key.startsWith(prefix)).forEach((key) => sessionStorage.removeItem(key));
  } catch {}
  document.getElementById("send").hidden = true;
  // A field may be called "submit" and would stand in the place of the method.
  HTMLFormElement.prototype.submit.call(document.getElementById("replay"));
})();
