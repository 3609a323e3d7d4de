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

  const filter = document.getElementById("filter");
  filter?.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    const shown = links.filter((link) => {
      const fits = link.querySelector("span").textContent.toLowerCase().includes(wanted);
      link.closest("li").hidden = !fits;
      return fits;
    });
    document.getElementById("none").hidden = shown.length > 0;
  });
})();
