"use strict";
(() => {
  const wait = document.getElementById("wait");
  const again = setTimeout(() => location.reload(), Number(wait.dataset.seconds) * 1000);
  document.getElementById("stop").addEventListener("click", () => {
    clearTimeout(again);
    wait.hidden = true;
    document.getElementById("stopped").hidden = false;
  });
})();
