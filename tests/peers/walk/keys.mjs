// A person without a mouse: where one is can always be seen.
import assert from 'node:assert/strict';

/// Goes step by step to the link, button or field of this name.
export async function reach(page, name) {
  for (let steps = 0; steps < 30; steps += 1) {
    if ((await focused(page)).name === name) return isSeen(page, name);
    await page.keyboard.press('Tab');
  }
  assert.fail(`the keyboard does not reach "${name}" on ${page.url()}`);
}

/// Goes to a link or button and presses it.
export async function press(page, name) {
  await reach(page, name);
  await page.keyboard.press('Enter');
}

export async function isSeen(page, name) {
  const { name: at, outline } = await focused(page);
  assert.equal(at, name);
  assert.ok(outline >= 2, `"${name}" does not show that it is chosen`);
}

function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    const named = (at.labels?.[0] ?? at).cloneNode(true);
    named.querySelectorAll('[aria-hidden="true"]').forEach((ornament) => ornament.remove());
    return {
      name: named.textContent.trim(),
      outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    };
  });
}
