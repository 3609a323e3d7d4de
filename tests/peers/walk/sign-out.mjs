// Signed out is signed out: here, at the provider, in the browser's history and for scripts of a page left open.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  walker.expect(401, 410); // a script without a session; a page of the provider about a sign-in that is over
  // Scripts of an app are not ours to forbid: the app of the demo forbids itself to have any.
  const page = await walker.somebodyNew({ bypassCSP: true });
  await walker.go('/');
  await walker.signInAs('alice');
  await walker.consent();
  await walker.heading('Hello, alice');
  await walker.go('/elsewhere');
  const forgotten = await walker.context.newPage();
  await walker.go('/', forgotten);
  await walker.heading('Hello, alice', forgotten);

  await walker.go('/.portcullis');
  await walker.heading('Your apps');
  const offered = await page.locator('.app').evaluateAll((apps) => apps.map((app) => app.href));
  assert.deepEqual(offered, [walker.url('/wiki'), walker.url('/')], 'it offers what is open to her');
  await walker.picture('home');
  const account = await walker.context.newPage();
  await walker.go('/.portcullis/account', account);
  await walker.heading('Your account', account);
  assert.ok((await account.innerText('main')).includes('staff'), 'she sees her groups');
  await account.getByText('preferred_username').waitFor();
  await walker.go('/.portcullis/sign-out');
  await walker.heading('Sign out?');
  await walker.picture('sign-out');
  await walker.back();
  await walker.heading('Your apps');
  await walker.back();
  await walker.heading('Hello, alice');

  await page.getByRole('button', { name: 'Sign out' }).click();
  await walker.heading('You are signed out');
  await walker.picture('signed-out');

  for (const [mode, headers] of [['cors', {}], ['same-origin', { accept: 'application/json' }]]) {
    const answer = await forgotten.evaluate(ask, [mode, headers]);
    assert.deepEqual(answer, { status: 401, redirected: false, type: 'application/problem+json' });
  }
  await forgotten.reload();
  await walker.heading('Sign in', forgotten);

  // Back over every page of the session: none of them comes out of a cache or out of memory.
  for (let steps = 0; steps < 12 && page.url() !== 'about:blank'; steps += 1) {
    await walker.back();
    const told = await page.innerText('body');
    assert.ok(!/Hello|alice@/.test(told), `${page.url()} is shown after signing out:\n${told}`);
  }
  await walker.go('/');
  await walker.heading('Sign in');
  assert.ok(!(await page.innerText('main')).includes('Continue as'), 'the provider has forgotten her, too');
}

async function ask([mode, headers]) {
  const answer = await fetch('/', { mode, headers });
  return { status: answer.status, redirected: answer.redirected, type: answer.headers.get('content-type') };
}
