// Every page about trouble that can be had without a provider.
import assert from 'node:assert/strict';

const PAGES = [
  ['chooser', '/wiki/page', 401, 'Sign in'],
  ['chooser-unknown', '/.portcullis/sign-in?login_hint=ann@elsewhere.example', 401, 'Sign in'],
  ['provider-down', '/.portcullis/sign-in?provider=corp', 503, /./],
  ['app-down', '/down/', 502, /./],
  ['app-slow', '/slow/', 504, /./],
  ['not-found', '/nowhere', 404, /./],
  ['bad-request', '/down/a%2fb', 400, /./],
  ['sign-in-failed', '/.portcullis/callback?code=x&state=y', 400, /./],
];

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(400, 401, 404, 429, 502, 503, 504);
  for (const [name, path, status, heading] of PAGES) {
    assert.equal(await walker.go(path), status, name);
    await walker.heading(heading);
    if (status !== 401) assert.ok((await page.innerText('footer')).includes('Request id'), name);
    await walker.picture(name);
  }
  await walker.go('/busy/');
  assert.equal(await walker.go('/busy/'), 429);
  await walker.picture('too-many');

  // A page that asks again by itself can be stopped.
  await walker.go('/down/');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('no longer tries by itself').waitFor();

  await walker.go('/wiki/page?a=1#part');
  const link = await page.getByRole('link', { name: 'Partner network' }).getAttribute('href');
  assert.equal(new URL(link, page.url()).searchParams.get('return_to'), walker.url('/wiki/page?a=1#part'));
  assert.equal(await page.locator('input[name="return_to"]').inputValue(), walker.url('/wiki/page?a=1#part'));

  await walker.go('/.portcullis/sign-in?provider=corp');
  await page.getByRole('link', { name: 'Partner network' }).waitFor(); // where one provider fails there is another

  await walker.go('/wiki/page');
  await page.getByLabel('E-mail address').fill('ann@partner.example');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByText('Partner network').first().waitFor();
}
