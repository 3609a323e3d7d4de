// One app, or none.
import assert from 'node:assert/strict';
import { look } from './portal.mjs';

export default async function walk(walker) {
  const [page, count] = [await walker.somebodyNew(), Number(process.env.APPS)];
  await walker.go('/.portcullis');
  await walker.heading('Your apps');
  assert.equal(await page.locator('.app').count(), count);
  await look(walker, page, count === 0 ? 'portal-none' : 'portal-one');
  if (count > 0) return;
  await page.getByRole('link', { name: 'what your provider says of you' }).click();
  await walker.heading('Your account');
  assert.ok((await page.innerText('main')).includes('none'));
}
