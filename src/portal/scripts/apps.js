"use strict";
(() => {
  const field = document.getElementById("find");
  if (!field) return;
  // Whoever types "koln" means "Köln".
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const groups = [...document.querySelectorAll(".group")];
  const apps = groups.flatMap((group) => {
    const heading = group.querySelector("h2")?.textContent ?? "";
    return [...group.querySelectorAll(".app")].map((link) => (
      { link, text: plain(`${link.textContent}\n${link.dataset.place}\n${heading}`) }));
  });
  const show = () => {
    const words = plain(field.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { link, text } of apps) {
      const fits = words.every((word) => text.includes(word));
      link.closest("li").hidden = !fits;
      count += fits ? 1 : 0;
    }
    for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
    document.getElementById("none").hidden = count > 0;
  };
  // A page that was searched on the server holds only what was found there: it is asked anew.
  const searched = new URLSearchParams(location.search).get(field.name);
  if (!searched) field.addEventListener("input", show);
  field.form.addEventListener("submit", (event) => {
    if (searched || !field.value.trim()) return;
    event.preventDefault();
    document.querySelector(".apps li:not([hidden]) .app")?.click();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    document.querySelector(".apps li:not([hidden]) .app")?.focus();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    field.select();
  });
  // What the browser has kept of the field on the way back.
  if (!searched && field.value) show();
})();
