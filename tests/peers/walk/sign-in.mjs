// From the printed address through the provider's sign-in and consent to the app.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(422, 400); // a wrong password; a person who says no
  await walker.go('/?page=1');
  await walker.heading('Sign in');
  assert.notEqual(new URL(page.url()).origin, walker.gateway, 'the provider asks, not the gateway');
  await walker.picture('provider-sign-in');

  await page.getByLabel('User name').fill('alice');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await walker.picture('provider-sign-in-wrong');

  await walker.signInAs('alice');
  await walker.heading('Allow');
  await walker.picture('provider-consent');
  await walker.consent();

  await walker.heading('Hello, alice');
  assert.equal(page.url(), walker.url('/?page=1'), 'she arrives where she wanted to go');
  await page.getByText('Verified by this app').waitFor();
  const told = await page.innerText('main');
  for (const fact of ['alice@demo.example', 'staff', 'portcullis-assertion']) assert.ok(told.includes(fact), fact);
  assert.ok(!/portcullis(_\w+)?=/.test(told), 'the app gets no cookie of the gateway');
  await walker.picture('app');
  await page.getByText('What it says').click();
  await page.getByText(walker.gateway, { exact: true }).first().waitFor(); // the assertion's issuer

  await walker.go('/public');
  await walker.heading('Open to everybody');
  await walker.picture('app-public');

  await walker.somebodyNew();
  await walker.go('/');
  await walker.signInAs('bob');
  await walker.page.getByRole('button', { name: 'Deny' }).click();
  await walker.heading('Sign-in did not work');
  await walker.page.getByText('You said no').waitFor();
  await walker.picture('sign-in-denied');
}
