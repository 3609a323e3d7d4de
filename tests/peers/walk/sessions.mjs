// A person with two browsers sees where they are signed in and ends the other sign-in: its WebSocket is cut at once.
import assert from 'node:assert/strict';

const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1';

export default async function walk(walker) {
  walker.expect(401); // the page that says why one is signed out
  const there = await walker.somebodyNew({ userAgent: IPHONE });
  await walker.go('/', there);
  const closed = there.evaluate(openSocket, walker.url('/stream').replace('http', 'ws'));
  await there.waitForFunction(() => window.isOpen);

  const here = await walker.somebodyNew();
  await walker.go('/.portcullis');
  await here.getByRole('link', { name: 'Sign-ins' }).click();
  await walker.heading('Where you are signed in');
  await walker.picture('sessions');
  const device = here.getByRole('heading', { level: 3, name: / on / });
  assert.equal(await device.count(), 2, await here.innerText('main'));
  for (const moment of await here.locator('time').all()) {
    assert.ok(!Number.isNaN(Date.parse(await moment.getAttribute('datetime'))));
  }
  // By the keyboard alone: the button is reached, says what it is about, and works.
  const button = here.getByRole('button', { name: 'Sign out there' });
  await button.focus();
  assert.equal(await button.evaluate((element) => document.getElementById(element.getAttribute('aria-describedby')).localName), 'h3');
  await here.keyboard.press('Enter');
  await here.getByRole('status').getByText('That sign-in has ended').waitFor();
  await walker.picture('sessions-ended');
  assert.deepEqual(await closed, { code: 1008, reason: 'ended from another session' });

  await there.reload();
  await walker.heading('You are signed out here', there);
  await there.getByRole('link', { name: 'Sign in' }).click();
  await there.waitForURL(walker.url('/'));

  await walker.go('/.portcullis/sessions');
  await here.getByRole('button', { name: 'Sign out everywhere else' }).click();
  await here.getByText('1 sign-in has ended').waitFor();
  await here.getByText('You are not signed in anywhere else').waitFor();
  await here.getByRole('link', { name: 'Sign out here' }).click();
  await walker.heading('Sign out?');
}

// Resolves with what the socket is told when it closes.
function openSocket(address) {
  return new Promise((done) => {
    const socket = new WebSocket(address);
    socket.onopen = () => { window.isOpen = true; };
    socket.onclose = ({ code, reason }) => done({ code, reason });
  });
}
