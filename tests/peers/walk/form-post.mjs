// A provider on another site answers by a form: the browser brings the cookie of the sign-in along, and no other.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const page = await walker.somebodyNew({ ignoreHTTPSErrors: true });
  const posted = [];
  page.on('request', async (request) => {
    if (request.method() === 'POST') posted.push(request);
  });
  const signIn = async (path) => {
    await page.goto(walker.url(path)).catch(() => {}); // the provider's page may leave before it has loaded
    await page.waitForURL(walker.url(path));
    await page.waitForFunction(() => document.body.innerText.includes('alice'));
  };
  await signIn('/page?a=1&b=%26');
  assert.equal(posted.length, 1, 'the answer came as a form');
  assert.ok(posted[0].url().endsWith('/.portcullis/callback'), posted[0].url());
  const sent = async (request) => (await request.allHeaders()).cookie ?? '';
  assert.match(await sent(posted[0]), /__Host-portcullis-flow-/);
  const kept = await walker.context.cookies(walker.gateway);
  assert.deepEqual(kept.map(({ name, sameSite, secure }) => ({ name, sameSite, secure })), [
    { name: '__Host-portcullis', sameSite: 'Lax', secure: true },
  ]);

  // Signing in again while signed in: the session's own cookie stays at home.
  const before = kept[0].value;
  await page.goto(walker.url('/.portcullis/sign-in?anew=1&return_to=' + encodeURIComponent(walker.url('/page')))).catch(() => {});
  await page.waitForURL(walker.url('/page'));
  assert.equal(posted.length, 2);
  assert.doesNotMatch(await sent(posted[1]), /__Host-portcullis=/);
  const [after] = await walker.context.cookies(walker.gateway);
  assert.notEqual(after.value, before, 'another session');
}
