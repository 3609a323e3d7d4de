// What people do in a browser whatever the app, and what can be seen of it.
import assert from 'node:assert/strict';
import { until } from './program.mjs';

/// The WebSockets of a tab from now on, by address.
export function sockets(page) {
  const seen = [];
  page.on('websocket', (socket) => {
    const one = { url: socket.url(), sent: [], received: [], closed: false };
    seen.push(one);
    socket.on('framesent', ({ payload }) => one.sent.push(String(payload)));
    socket.on('framereceived', ({ payload }) => one.received.push(String(payload)));
    socket.on('close', () => { one.closed = true; });
  });
  const matching = (url) => seen.filter((one) => url.test(one.url));
  return {
    seen,
    /// Waits for one that is open and has heard from the app.
    open: (url) => until(`a WebSocket ${url}`, () => matching(url).find((one) => !one.closed && one.received.length > 0)),
    /// Waits for one that has been told something.
    heard: (url, text) => until(`${text} over ${url}`, () => matching(url).find((one) => one.received.some((frame) => text.test(frame)))),
    /// Waits until all of them are closed.
    closed: (url) => until(`the end of ${url}`, () => matching(url).every((one) => one.closed)),
  };
}

/// Signs out at the gateway and at the provider, in another tab than the app's.
export async function signOut(walker) {
  const page = await walker.context.newPage();
  await walker.go('/.portcullis/sign-out', page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click({ timeout: 5_000 }).catch(() => {}); // the provider's own question
  await walker.heading('You are signed out', page);
  await page.close();
}

/// The `Cookie` field of a browser, for a program that asks in its name.
export async function cookies(walker) {
  const all = await walker.context.cookies(walker.gateway);
  assert.ok(all.length > 0, 'somebody is signed in');
  return all.map(({ name, value }) => `${name}=${value}`).join('; ');
}
