// A form that is sent when the session is gone waits in the tab until the sign-in is done, and goes out in nobody's
// name without a word of theirs.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(401, 400, 415); // the page that keeps the form; what the app of the demo says to a form with a file
  await walker.go('/');
  await walker.signInAs('alice');
  await walker.consent();
  await walker.heading('Hello, alice');
  await page.getByLabel('Note').fill('Bring <b>ropes</b> & oil');
  await walker.context.clearCookies();
  await page.getByRole('button', { name: 'Post' }).click();
  await walker.signInAs('alice'); // the provider remembers her consent
  await walker.heading('Welcome back');
  await page.getByText('alice@demo.example').waitFor();
  await walker.picture('form-replay');
  await page.getByRole('button', { name: 'Send it in my name' }).click();
  await page.getByText('Bring <b>ropes</b> & oil').waitFor();
  await walker.heading('Hello, alice');
  assert.equal(await page.evaluate(() => sessionStorage.length), 0, 'nothing of the form is left behind');

  // With a file: the browser that wrote it reads it again.
  await page.getByLabel('Note').fill('With a file');
  const action = await page.evaluate(() => {
    const form = document.querySelector('form:has([name])');
    form.enctype = 'multipart/form-data';
    const input = Object.assign(document.createElement('input'), { type: 'file', name: 'map' });
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array([0, 255, 13, 10, 45, 45])], 'mäp.bin', { type: 'image/x-map' }));
    input.files = files.files;
    form.append(input);
    return new URL(form.action).pathname;
  });
  await walker.context.clearCookies();
  await page.getByRole('button', { name: 'Post' }).click();
  await walker.signInAs('alice');
  await walker.heading('Welcome back');
  await page.getByRole('button', { name: 'Send it in my name' }).waitFor();
  const fields = await page.evaluate(async () => {
    const told = [];
    for (const [name, value] of new FormData(document.getElementById('replay'))) {
      told.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, [...new Uint8Array(await value.arrayBuffer())]]);
    }
    return told;
  });
  assert.ok(fields.some(([, value]) => value === 'With a file'), JSON.stringify(fields));
  assert.deepEqual(fields.find(([name]) => name === 'map'), ['map', 'mäp.bin', 'image/x-map', [0, 255, 13, 10, 45, 45]]);
  const sent = page.waitForRequest((request) => request.method() === 'POST' && new URL(request.url()).pathname === action);
  await page.getByRole('button', { name: 'Send it in my name' }).click();
  const request = await sent;
  assert.match(await request.headerValue('content-type'), /^multipart\/form-data; boundary=/);
}
