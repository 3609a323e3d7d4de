// Sixty apps.
import assert from 'node:assert/strict';
import { look } from './portal.mjs';

export default async function walk(walker) {
  const page = await walker.somebodyNew();
  await walker.go('/.portcullis');
  await walker.heading('Your apps');
  assert.equal(await page.locator('.app').count(), 60);
  await look(walker, page, 'portal-many');
  await page.getByLabel('Find an app').fill('board white');
  assert.deepEqual(await page.locator('.app:visible b').allInnerTexts(), ['Whiteboard']);
}
