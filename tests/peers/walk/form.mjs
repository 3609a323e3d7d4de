// A form that is sent when the session is gone waits in the tab until the sign-in is done.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(401); // the page that keeps the form
  await walker.go('/');
  await walker.signInAs('alice');
  await walker.consent();
  await walker.heading('Hello, alice');
  await page.getByLabel('Note').fill('Bring <b>ropes</b> & oil');
  await walker.context.clearCookies();
  await page.getByRole('button', { name: 'Post' }).click();
  await walker.signInAs('alice'); // the provider remembers her consent
  await page.getByText('Bring <b>ropes</b> & oil').waitFor();
  await walker.heading('Hello, alice');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'nothing of the form is left behind');
}
