// The whole address is there after the sign-in, however long it is, and with what stands behind the "#".
import assert from 'node:assert/strict';

const long = `/tab?text=${'a%20b%26c'.repeat(300)}`;

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(401); // the page that keeps the address
  await walker.go(`${long}#part-2`);
  await walker.signInAs('alice');
  await walker.consent();
  await walker.heading('Hello, alice');
  assert.equal(page.url(), walker.url(`${long}#part-2`));
  assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'nothing of it is left behind');

  // Without scripts it says what is lost.
  const plain = await walker.somebodyNew({ javaScriptEnabled: false });
  await walker.go(long);
  await walker.heading('First, sign in', plain);
  await walker.picture('keep-address');
  assert.match(await plain.innerText('body'), /runs no scripts that could keep it/);
}
