"use strict";
(() => {
  const prefix = "portcullis.form.";
  const { id, sealed, signIn } = document.getElementById("kept").dataset;
  try {
    // One tab is at one sign-in at a time: what an earlier one left behind goes.
    Object.keys(sessionStorage).filter((key) => key.startsWith(prefix)).forEach((key) => sessionStorage.removeItem(key));
    sessionStorage.setItem(prefix + id, sealed);
  } catch {
    document.getElementById("well").hidden = true;
    document.getElementById("failed").hidden = false;
    return;
  }
  location.replace(signIn);
})();
