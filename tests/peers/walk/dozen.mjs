// Finding one's own among a dozen providers: by typing, with the keyboard alone, and without scripts.
import assert from 'node:assert/strict';
import { isSeen, reach } from './keys.mjs';

const FILTER = 'Find yours among 12';
const NONE = 'None is called like that.';

export default async function walk(walker) {
  let { page } = walker;
  walker.expect(401, 503);
  const shown = async () => (await page.locator('a.choice:visible > span').allInnerTexts()).join();
  const type = async (text, matching) => {
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type(text);
    assert.equal(await shown(), matching, `what matches "${text}"`);
    assert.equal(await page.getByText(NONE).isVisible(), matching === '', `whether none matches "${text}"`);
  };
  assert.equal(await walker.go('/'), 401);
  const all = await shown();
  assert.equal(all.split(',').length, 12);
  await walker.picture('chooser-many');

  await reach(page, FILTER);
  await type('works', 'Bergen Works,Dover Works,Lund Works');
  await walker.picture('chooser-filtered');
  await type(' GALWAY ', 'Galway');
  await type('koln', 'Köln');
  await type('KÖLN', 'Köln');
  await type('hh', ''); // the ornament in front of "Hull" is no part of its name
  await walker.picture('chooser-none');
  await type('N W', 'Bergen Works');
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Backspace');
  assert.ok((await shown()).includes('Lund Works'), 'a wider search shows more again');
  await page.keyboard.press('Escape');
  assert.equal(await shown(), all, 'an empty search shows all');

  // With the keyboard, what is hidden is not on the way.
  await type('lund', 'Lund Works');
  await page.keyboard.press('Tab');
  await isSeen(page, 'Lund Works');
  await page.keyboard.press('Enter');
  await page.waitForURL(/provider=lund/);

  page = await walker.somebodyNew({ javaScriptEnabled: false });
  await walker.go('/');
  assert.equal(await shown(), all, 'without scripts');
  assert.equal(await page.getByLabel(FILTER).isVisible(), false, 'a field that does nothing is not shown');
  await page.getByRole('link', { name: 'Lund Works' }).click();
  await page.waitForURL(/provider=lund/);
}
