"use strict";
(() => {
  const prefix = "portcullis.address.";
  const { id, next, address } = document.getElementById("kept").dataset;
  try {
    // One tab is at one sign-in at a time: what an earlier one left behind goes.
    Object.keys(sessionStorage).filter((key) => key.startsWith(prefix)).forEach((key) => sessionStorage.removeItem(key));
    sessionStorage.setItem(prefix + id, address ? address + encodeURIComponent(location.hash) : location.href);
  } catch {
    document.getElementById("well").hidden = true;
    document.getElementById("failed").hidden = false;
    return;
  }
  location.replace(next);
})();
