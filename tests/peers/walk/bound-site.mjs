// Chromium binds a session for a whole site: it registers its key on the sign-in host, and has the cookie of the domain
// renewed before requests for other hosts of it. What a sibling host plants there costs its person nothing.
import assert from 'node:assert/strict';
import { options as bound } from './bound.mjs';

export const options = { ...bound, hosts: ['corp.test', 'login.corp.test', 'wiki.corp.test'] };

const SHOWN = '__Secure-portcullis_bound';

export default async function walk(walker) {
  const { page, context } = walker;
  const port = new URL(walker.gateway).port;
  const wiki = (path) => `https://wiki.corp.test:${port}${path}`;
  const cookie = async (url, name) => (await context.cookies(url)).find((it) => it.name === name);
  const shown = () => cookie(wiki('/'), SHOWN);
  const arrive = async (url) => {
    await page.goto(url).catch(() => {}); // the provider's page may leave before it has loaded
    await page.waitForURL(url);
  };
  await arrive(walker.url('/page'));
  for (let tries = 0; !(await shown()) && tries < 200; tries += 1) await page.waitForTimeout(50);
  const first = await shown();
  assert.ok(first, 'the browser has registered a key for the site');
  assert.deepEqual([first.domain, first.httpOnly, first.secure, first.sameSite, first.path], ['.corp.test', true, true, 'Lax', '/']);

  await arrive(wiki('/page'));
  const key = (await cookie(wiki('/'), '__Host-portcullis')).value;
  const goesOn = async (why) => {
    assert.equal((await cookie(wiki('/'), '__Host-portcullis')).value, key, `${why}: the session goes on`);
    const now = await shown();
    assert.ok(now && now.value !== 'junk', `${why}: the browser has had the cookie renewed`);
  };
  await goesOn('covered');
  assert.equal(await cookie(wiki('/'), '__Host-portcullis_bound'), undefined, 'and has no binding of its own');

  // As when ten minutes have passed: twice, for the second challenge has come with the first renewal.
  for (const path of ['/page?again', '/page?once-more']) {
    await context.clearCookies({ name: SHOWN });
    await arrive(wiki(path));
    await goesOn(path);
  }

  // A sibling overwrites the cookie: the browser takes it for the one that it has, until it is told that it is none.
  const plant = (path) => context.addCookies([{ name: SHOWN, value: 'junk', domain: '.corp.test', path, httpOnly: true, secure: true, sameSite: 'Lax' }]);
  await plant('/');
  await arrive(wiki('/page?overwritten'));
  await goesOn('overwritten');
  await plant('/');
  await arrive(walker.url('/page?overwritten'));
  await goesOn('overwritten at the sign-in host');

  // Beside it, and before it in what the browser sends.
  await plant('/page');
  await arrive(wiki('/page?shadowed'));
  await goesOn('shadowed');

  // A script is told, and its next call goes through.
  walker.expect(401);
  await plant('/');
  const fetched = () => page.evaluate(() => fetch('/page?call', { headers: { accept: 'application/json' } }).then(({ status }) => status));
  assert.deepEqual([await fetched(), await fetched()], [401, 200]);
}
