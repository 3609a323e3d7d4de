// Every page about trouble that can be had without a provider.
import assert from 'node:assert/strict';

const PAGES = [
  ['chooser', '/wiki/page', 200, 'Sign in'],
  ['chooser-unknown', '/.portcullis/sign-in?login_hint=ann@elsewhere.example', 200, 'Sign in'],
  ['provider-down', '/.portcullis/sign-in?provider=corp', 503, /./],
  ['app-down', '/down/', 502, /./],
  ['app-slow', '/slow/', 504, /./],
  ['not-found', '/nowhere', 404, /./],
  ['bad-request', '/down/a%2fb', 400, /./],
  ['sign-in-failed', '/.portcullis/callback?code=x&state=y', 400, /./],
];

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(400, 404, 429, 502, 503, 504);
  for (const [name, path, status, heading] of PAGES) {
    assert.equal(await walker.go(path), status, name);
    await walker.heading(heading);
    if (status !== 200) assert.ok((await page.innerText('footer')).includes('Request id'), name);
    await walker.picture(name);
  }
  await walker.go('/busy/');
  assert.equal(await walker.go('/busy/'), 429);
  await walker.picture('too-many');

  await walker.go('/wiki/page');
  await page.getByLabel('E-mail address').fill('ann@partner.example');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Partner network').first().waitFor();
}
