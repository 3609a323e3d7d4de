// Cockpit below a path: its sign-in page, and the WebSocket on which everything else goes.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { command } from '../box/command.mjs';
import { cookies, signOut } from '../box/people.mjs';
import { until } from '../box/program.mjs';

export const title = 'Cockpit';
export const packages = { debian: ['cockpit-bridge', 'cockpit-ws'] };
export const host = 'ops.corp.example';

const SERVER = '/usr/lib/cockpit/cockpit-ws';

export async function version(box) {
  return (await command(box, SERVER, ['--version'])).stdout.match(/\d\S*/)[0];
}

/// Cockpit with the configuration of the page, whose lines `changes` replaces; its upstream.
async function cockpit(box, name, changes, more = []) {
  const port = await box.freePort();
  const page = readFileSync(`${box.root}docs/recipes/apps/cockpit.md`, 'utf8').match(/^```ini\n(.*?)^```/ms)[1];
  const text = Object.entries(changes).reduce((so_far, [from, to]) => so_far.replace(from, to), page);
  mkdirSync(`${box.directory}/${name}/cockpit`, { recursive: true });
  writeFileSync(`${box.directory}/${name}/cockpit/cockpit.conf`, text);
  const env = { XDG_CONFIG_DIRS: `${box.directory}/${name}`, XDG_RUNTIME_DIR: box.directory };
  const program = await box.start(SERVER, ['--no-tls', '--address', '127.0.0.1', '--port', String(port), ...more], { env, ready: { port }, log: name });
  return { upstream: `http://127.0.0.1:${port}`, program };
}

/// What comes of the WebSocket, opened by a page of Cockpit's: the first word, or that it was closed.
const socket = (path) => new Promise((resolve) => {
  const opened = new WebSocket(location.origin.replace('http', 'ws') + path, 'cockpit1');
  opened.onmessage = ({ data }) => { resolve(String(data)); window.socket = opened; opened.onclose = () => { window.ended = true; }; };
  opened.onclose = () => resolve('closed');
});

export async function run(box) {
  const provider = await box.provider();
  await provider.as('bob');
  const origins = { 'https://ops.corp.example': box.url };
  const { upstream } = await cockpit(box, 'asks', origins);
  let gateway = await box.gateway('cockpit', { addresses: { 'http://127.0.0.1:9095': upstream } });
  const walker = await box.browser();

  await box.step('sign in, and see the page that asks for a user of the machine', async () => {
    await walker.go('/cockpit/');
    await walker.page.locator('#login-user-input').waitFor();
  });
  await box.step('Cockpit looks at the password itself, and refuses a wrong one', async () => {
    await walker.page.fill('#login-user-input', 'nobody-of-this-name');
    await walker.page.fill('#login-password-input', 'wrong');
    await walker.page.click('#login-button');
    await walker.page.getByText(/wrong user name or password|authentication failed/i).first().waitFor();
    assert.match(gateway.output(), /"path":"\/cockpit\/cockpit\/login".*"outcome":"allowed"/);
  });
  await gateway.end();

  const alone = await cockpit(box, 'alone', origins, ['--local-session', 'cockpit-bridge']);
  gateway = await box.gateway('cockpit', { addresses: { 'http://127.0.0.1:9095': alone.upstream } });
  await box.step('its WebSocket opens from its own page, and says hello', async () => {
    await walker.go('/cockpit/cockpit/manifests.json');
    assert.match(await walker.page.evaluate(socket, '/cockpit/cockpit/socket'), /"command":"init"/);
  });
  await box.step('a page of another site gets no WebSocket', async () => {
    const answer = await box.ask('/cockpit/cockpit/socket', { headers: {
      connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'cockpit1', origin: 'https://elsewhere.example', cookie: await cookies(walker),
    } });
    assert.equal(answer.status, 403);
  });
  await box.step('signing out ends the WebSocket', async () => {
    await signOut(walker);
    await walker.page.waitForFunction(() => window.ended);
  });
  await gateway.end();

  const elsewhere = await cockpit(box, 'elsewhere', { 'https://ops.corp.example': 'https://another.example' }, ['--local-session', 'cockpit-bridge']);
  await box.gateway('cockpit', { addresses: { 'http://127.0.0.1:9095': elsewhere.upstream } });
  await box.step('with other Origins, Cockpit refuses its own page', async () => {
    await walker.go('/cockpit/cockpit/manifests.json');
    assert.equal(await walker.page.evaluate(socket, '/cockpit/cockpit/socket'), 'closed');
    await until('what it says', () => /bad Origin/i.test(elsewhere.program.output()));
  });
}
