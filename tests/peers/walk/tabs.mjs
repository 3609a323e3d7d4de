// Ten sign-ins of one browser at once do not get into each other's way.
import assert from 'node:assert/strict';

const TABS = [...Array(10).keys()];
const address = (tab) => `/tab-${tab}?number=${tab}&text=a%20b%26c`;

export default async function walk(walker) {
  const pages = [walker.page];
  while (pages.length < TABS.length) pages.push(await walker.context.newPage());
  const all = (step) => Promise.all(pages.map(step));

  await all((page, tab) => walker.go(address(tab), page));
  await all((page) => walker.heading('Sign in', page));
  await walker.signInAs('alice', pages[0]);
  await walker.consent(pages[0]);
  await walker.heading('Hello, alice', pages[0]);
  // Some type the password again, some notice that they are known by now.
  for (const [tab, page] of [...pages.entries()].slice(1)) {
    if (tab % 2) await walker.signInAs('alice', page);
    else await page.reload();
  }
  await all((page) => walker.heading('Hello, alice', page));
  pages.forEach((page, tab) => assert.equal(page.url(), walker.url(address(tab))));

  // The same once more while the provider knows who it is: nobody is asked anything.
  await walker.context.clearCookies({ name: /^portcullis(?!_demo)/ });
  await all((page, tab) => walker.go(address(9 - tab), page));
  await all((page) => walker.heading('Hello, alice', page));
  pages.forEach((page, tab) => assert.equal(page.url(), walker.url(address(9 - tab))));
  const left = (await walker.context.cookies()).map((cookie) => cookie.name).filter((name) => /flow/.test(name));
  assert.deepEqual(left, [], 'no sign-in in flight is left behind');
}
