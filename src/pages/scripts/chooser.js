"use strict";
(() => {
  // The part behind "#" never reaches a server: it goes along from here.
  const part = location.hash;
  const links = [...document.querySelectorAll("a.choice")];
  const address = document.querySelector('input[name="return_to"]');
  if (part) {
    links.forEach((link) => link.setAttribute("href", link.getAttribute("href") + encodeURIComponent(part)));
    if (address) address.value += part;
  }

  // Whoever types "koln" means "Köln".
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const filter = document.getElementById("filter");
  filter?.addEventListener("input", () => {
    const wanted = plain(filter.value.trim());
    const shown = links.filter((link) => {
      const fits = plain(link.querySelector("span").textContent).includes(wanted);
      link.closest("li").hidden = !fits;
      return fits;
    });
    document.getElementById("none").hidden = shown.length > 0;
  });
})();
