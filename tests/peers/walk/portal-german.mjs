// A company with a name, a logo and colours of its own, whose people read German.
import assert from 'node:assert/strict';
import { keepForReaders, look } from './portal.mjs';

export default async function walk(walker) {
  walker.expect(404, 403);
  const page = await walker.somebodyNew({ locale: 'de-DE' });
  await walker.go('/.portcullis');
  await walker.heading('Ihre Apps');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'de');
  await page.getByRole('link', { name: 'Kobold & Söhne' }).waitFor();
  await look(walker, page, 'portal-german-apps');
  await keepForReaders(walker, page, 'brand');
  for (const [link, heading, name] of [['Konto', 'Ihr Konto', 'account'], ['Anmeldungen', 'Wo Sie angemeldet sind', 'sessions']]) {
    await page.getByRole('navigation', { name: 'Portal' }).getByRole('link', { name: link }).click();
    await walker.heading(heading);
    await look(walker, page, `portal-german-${name}`);
  }
  await walker.go('/nothing');
  await walker.heading('Hier ist nichts');
  await look(walker, page, 'german-not-found');
  await walker.go('/.portcullis/sign-out');
  await walker.heading('Abmelden?');
  await look(walker, page, 'german-sign-out');
  await page.getByRole('button', { name: 'Abmelden' }).click();
  await walker.heading('Sie sind abgemeldet');
  await look(walker, page, 'german-signed-out');
}
