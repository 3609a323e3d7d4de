// Somebody comes to work: finds an app, looks at their account and their sign-ins, and leaves; by mouse, by keyboard and
// without scripts.
import assert from 'node:assert/strict';
import { complainOfBarriers } from './axe.mjs';

export const WINDOWS = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };

export default async function walk(walker) {
  walker.expect(404); // the app of the tests has no picture of the tab
  const page = await walker.somebodyNew();
  await walker.go('/.portcullis');
  await walker.heading('Your apps');
  await look(walker, page, 'portal-apps');
  await keepForReaders(walker, page, 'apps');
  assert.equal(await page.locator('.app').count(), Number(process.env.APPS));
  assert.deepEqual(await page.locator('.group h2').allInnerTexts(), ['Work together', 'Engineering', 'People and money', 'Other apps']);
  for (const picture of await page.locator('.app img').all()) {
    await picture.scrollIntoViewIfNeeded();
    await page.waitForFunction((image) => image.complete && image.naturalWidth > 0, await picture.elementHandle());
  }

  // By the keyboard alone: past the bar, into the search, to the app.
  await walker.go('/.portcullis');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'find');
  await page.keyboard.type('engin GRAF');
  assert.deepEqual(await page.locator('.app:visible b').allInnerTexts(), ['Grafana']);
  await page.keyboard.press('ArrowDown');
  assert.ok((await page.evaluate(() => document.activeElement.textContent)).includes('Grafana'));
  await page.getByLabel('Find an app').fill('nothing like that');
  await page.getByRole('heading', { name: 'Nothing is called like that' }).waitFor();
  await page.screenshot({ path: walker.artefact('portal-nothing.png') });
  await page.getByLabel('Find an app').fill('wiki');
  await page.getByLabel('Find an app').press('Enter');
  await page.waitForURL(walker.url('/app-0'));

  await walker.go('/.portcullis');
  await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'Account' }).click();
  await walker.heading('Your account');
  await look(walker, page, 'portal-account');
  await keepForReaders(walker, page, 'account');
  await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: 'Sign-ins' }).click();
  await walker.heading('Where you are signed in');
  await look(walker, page, 'portal-sessions');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await walker.heading('You are signed out');

  const plain = await walker.somebodyNew({ javaScriptEnabled: false });
  await walker.go('/.portcullis', plain);
  await plain.getByLabel('Find an app').fill('receipts');
  await plain.getByLabel('Find an app').press('Enter');
  await plain.getByRole('status').getByText('1 of 18').waitFor();
  assert.deepEqual(await plain.locator('.app b').allInnerTexts(), ['Expenses']);
  await plain.getByRole('link', { name: 'Show all' }).first().click();
  assert.equal(await plain.locator('.app').count(), 18);
}

/// The pictures of the documentation, where they are to be made anew.
export async function keepForReaders(walker, page, name) {
  if (!process.env.UPDATE_DOCS) return;
  await page.setViewportSize({ width: 1200, height: 760 });
  await page.screenshot({ path: walker.documentation(`portal/${name}.png`) });
  await page.setViewportSize(WINDOWS.wide);
}

/// The page in every window, by day and by night, and what those meet who do not see it.
export async function look(walker, page, name) {
  await walker.picture(name, page, { ...WINDOWS, tiny: { width: 280, height: 600 } });
  await complainOfBarriers(page, name);
}
