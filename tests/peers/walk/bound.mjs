// A session that Chromium binds to a key of its own, here one that is kept in software: it registers after the sign-in, and
// renews the cookie before a request that would go without it.
import assert from 'node:assert/strict';

export const options = {
  args: [
    '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
  ],
};

const BOUND = process.env.BOUND;

export default async function walk(walker) {
  const page = await walker.somebodyNew({ ignoreHTTPSErrors: true });
  const bound = async () => (await walker.context.cookies(walker.gateway)).find(({ name }) => name === BOUND);
  await page.goto(walker.url('/page')).catch(() => {}); // the provider's page may leave before it has loaded
  await page.waitForURL(walker.url('/page'));
  for (let tries = 0; !(await bound()) && tries < 100; tries += 1) await page.waitForTimeout(100);
  const first = await bound();
  assert.ok(first, 'the browser has registered a key');
  // As when ten minutes have passed.
  await walker.context.clearCookies({ name: BOUND });
  await page.goto(walker.url('/page?again'));
  const second = await bound();
  assert.ok(second, 'the browser has the cookie renewed before it asks');
  assert.notEqual(second.value, first.value);
}
