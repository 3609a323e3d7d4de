// Runs inside a page: what is wrong with how it looks, in words.
export function lookOver() {
  const faults = [];
  const visible = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const named = (element) => `<${element.localName}> "${(element.textContent || element.name || '').trim().slice(0, 40)}"`;

  if (document.scrollingElement.scrollWidth > innerWidth) faults.push('it must be scrolled sideways');
  if (document.querySelectorAll('h1').length !== 1) faults.push('it has not exactly one main heading');
  if (!document.documentElement.lang || !document.title) faults.push('it has no language or no title');
  for (const field of document.querySelectorAll('input:not([type="hidden"])')) {
    if (!field.labels?.length && !field.ariaLabel) faults.push(`${named(field)} has no label`);
  }
  for (const link of document.querySelectorAll('a[href], button')) {
    const { height } = link.getBoundingClientRect();
    if (visible(link) && height < 24 && getComputedStyle(link).display !== 'inline') faults.push(`${named(link)} is hard to hit`);
  }

  // WCAG 2.2, success criterion 1.4.3: text stands out from what is behind it by 4.5 to 1.
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => {
    const linear = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255];
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    if (!texts.currentNode.data.trim() || ['STYLE', 'SCRIPT', 'NOSCRIPT'].includes(element.tagName) || !visible(element)) continue;
    const [one, other] = [rgba(getComputedStyle(element).color), behind(element)].map(luminance).sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) faults.push(`${named(element)} has a contrast of ${contrast.toFixed(2)}`);
  }
  return faults;
}
