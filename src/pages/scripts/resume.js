"use strict";
(() => {
  const form = document.getElementById("resume");
  let sealed = null;
  try {
    sealed = sessionStorage.getItem("portcullis.form." + form.dataset.id);
  } catch {}
  if (sealed === null) {
    document.getElementById("well").hidden = true;
    document.getElementById("failed").hidden = false;
    return;
  }
  form.elements.sealed.value = sealed;
  form.submit();
})();
