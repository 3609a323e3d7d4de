// Chromium binds a session to a key of its own, which it keeps in software here: it registers it after a sign-in that
// another site led back from, and has the cookie renewed before a request that would go without it.
import assert from 'node:assert/strict';

// The certificate is trusted by its key: of a site with a certificate error that is skipped Chromium binds nothing.
export const options = {
  args: [
    '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
    `--ignore-certificate-errors-spki-list=${process.env.SPKI}`,
  ],
};

const BOUND = '__Host-portcullis_bound';

export default async function walk(walker) {
  const { page, context } = walker;
  const bound = async () => (await context.cookies(walker.gateway)).find(({ name }) => name === BOUND);
  const signIn = async () => {
    await page.goto(walker.url('/page')).catch(() => {}); // the provider's page may leave before it has loaded
    await page.waitForURL(walker.url('/page'));
    for (let tries = 0; !(await bound()) && tries < 200; tries += 1) await page.waitForTimeout(50);
    return bound();
  };
  const first = await signIn();
  assert.ok(first, 'the browser has registered a key');
  assert.deepEqual([first.httpOnly, first.secure, first.sameSite, first.path], [true, true, 'Lax', '/']);

  // As when ten minutes have passed: twice, for the second challenge has come with the first renewal.
  for (const path of ['/page?again', '/page?once-more']) {
    await context.clearCookies({ name: BOUND });
    await page.goto(walker.url(path));
    assert.ok(await bound(), 'the browser has the cookie renewed before it asks');
  }

  // Who follows a link from another site has it renewed as well.
  await context.clearCookies({ name: BOUND });
  await page.goto(`data:text/html,<a href="${walker.url('/page?link')}">go</a>`);
  await page.getByText('go').click();
  await page.waitForURL(walker.url('/page?link'));
  assert.ok(await bound());

  walker.expect(404); // the provider's page of signing out has no icon
  // Signed out, the browser is told that the bound session is over, and binds the next one.
  await page.goto(walker.url('/.portcullis/sign-out'));
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL((url) => !url.href.startsWith(walker.url('/.portcullis/sign-out')));
  assert.ok(!(await bound()));
  const next = await signIn();
  assert.ok(next && next.value !== first.value, 'another session is bound anew');
}
