// A provider of another site signs its person out in a frame: the browser shows the frame, and brings no cookie into it.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  walker.expect(401, 404); // a script whose session is over; an icon that the provider does not have
  const { page, context } = walker;
  await walker.go('/');
  const asked = () => page.evaluate(async () => (await fetch('/', { mode: 'cors' })).status);
  assert.equal(await asked(), 200, 'alice is signed in');

  const cookies = [];
  context.on('request', async (request) => {
    if (request.url().includes('/front-channel-logout')) cookies.push((await request.allHeaders()).cookie);
  });
  const provider = await context.newPage();
  await provider.goto(`${process.env.PROVIDER}/bye`);
  await provider.frameLocator('iframe').getByRole('heading', { name: 'You are signed out' }).waitFor();
  assert.deepEqual(cookies, [undefined]);
  assert.equal(await asked(), 401, 'and is not any more');
}
