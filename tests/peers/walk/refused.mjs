// Alice may not see /ops; Bob may.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(403);
  await walker.go('/ops');
  await walker.signInAs('alice');
  await walker.consent();
  await walker.heading('You don’t have access');
  assert.equal(page.url(), walker.url('/ops'));
  const told = await page.innerText('body');
  for (const fact of ['alice', 'ops', 'Request id']) assert.ok(told.includes(fact), fact);
  await walker.picture('refused');

  await page.getByRole('button', { name: 'Sign in as someone else' }).click();
  await walker.heading('Sign in');
  assert.ok(!(await page.innerText('main')).includes('Continue as'), 'the provider asks for somebody else');
  await walker.signInAs('bob');
  await walker.consent();
  await walker.heading('The engine room');
  assert.equal(page.url(), walker.url('/ops'), 'he arrives where she was refused');
  await walker.picture('app-ops');
}
