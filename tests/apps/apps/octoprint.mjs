// OctoPrint: it signs people in by headers, with rights by group, and talks over a WebSocket (SockJS).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cookies, signOut, sockets } from '../box/people.mjs';

export const title = 'OctoPrint';
export const packages = { pip: true };
export const host = 'print.corp.example';

const SOCKET = /\/sockjs\/.*\/websocket/;

export function version(box) {
  return execFileSync(`${box.packages}/pip/bin/octoprint`, ['--version']).toString().trim().split(' ').at(-1);
}

/// Started with the settings of the recipe and a printer that is none; its upstream.
async function serve(box) {
  const port = await box.freePort();
  const base = `${box.directory}/base-${port}`;
  mkdirSync(base, { recursive: true });
  const page = readFileSync(`${box.root}docs/recipes/apps/octoprint.md`, 'utf8');
  const settings = /^```yaml\nserver:\n(.*?)^```/ms.exec(page)[1].replace('port: 5000', `port: ${port}`);
  // It would ask its makers for news, and newcomers for their wishes.
  const quiet = `  firstRun: false
  onlineCheck: { enabled: false }
  pluginBlacklist: { enabled: false }
  pythonEolCheck: { enabled: false }
`;
  const plugins = `plugins:
  _disabled: [softwareupdate, tracking, announcements, pluginmanager, achievements, discovery, backup]
  virtual_printer: { enabled: true }
`;
  writeFileSync(`${base}/config.yaml`, `server:\n${quiet}${settings}${plugins}`);
  const upstream = `http://127.0.0.1:${port}`;
  // While it starts, something else answers on its port.
  const ready = () => fetch(`${upstream}/online.gif`).then((answer) => answer.ok, () => false);
  await box.start(`${box.packages}/pip/bin/octoprint`, ['serve', '--iknowwhatimdoing', '--basedir', base], { ready, log: `octoprint-${port}` });
  return upstream;
}

async function open(walker, path) {
  await walker.go(path);
  await walker.page.waitForFunction(() => window.OctoPrint && document.querySelector('#navbar_login .dropdown-toggle'), { timeout: 90_000 });
}

/// Who OctoPrint thinks it is talking to.
async function me(walker, path = '') {
  return walker.page.evaluate(async (path) => (await fetch(`${path}/api/currentuser`)).json(), path);
}

/// What its own pages do: they bring the token that OctoPrint put into a cookie.
async function connect(walker) {
  await walker.page.evaluate(() => window.OctoPrint.connection.connect({ port: 'VIRTUAL' }));
}

export async function run(box) {
  const provider = await box.provider();
  const addresses = { 'http://127.0.0.1:5000': await serve(box) };
  const gateway = await box.gateway('octoprint', { addresses });
  await provider.as('bob');
  const walker = await box.browser();
  const opened = sockets(walker.page);
  await box.step('sign in: user and groups from headers, rights by group', async () => {
    await open(walker, '/');
    const { name, groups, permissions } = await me(walker);
    assert.deepEqual({ name, groups: groups.sort() }, { name: 'bob', groups: ['admins', 'users'] });
    assert.ok(permissions.includes('ADMIN'));
  });
  await box.step('connect the printer, past the app\'s CSRF check; the WebSocket tells of it', async () => {
    await connect(walker);
    await opened.heard(SOCKET, /Operational/);
  });
  await box.step('a file is uploaded and listed', async () => {
    const gcode = { name: 'cube.gcode', mimeType: 'text/plain', buffer: Buffer.from('G28\n'.repeat(500_000)) };
    await walker.page.locator('#gcode_upload').setInputFiles(gcode);
    await walker.page.locator('#files').getByText('cube.gcode').first().waitFor();
  });
  await box.step('forged names, groups and prefixes are not believed', async () => {
    const forged = { 'x-auth-request-user': 'mallory', x_auth_request_user: 'mallory', 'remote-user': 'mallory', 'x-script-name': '/elsewhere', 'x-scheme': 'ftp', 'x-forwarded-host': 'elsewhere.example' };
    const answer = await box.ask('/api/currentuser', { headers: { cookie: await cookies(walker), ...forged } });
    assert.equal(JSON.parse(answer.body).name, 'bob');
    const page = await box.ask('/', { headers: { cookie: await cookies(walker), accept: 'text/html', ...forged } });
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.body, /elsewhere|ftp:/);
    assert.equal((await box.ask('/api/currentuser', { headers: forged })).status, 401);
  });
  await box.step('signing out ends the WebSocket', async () => {
    await signOut(walker);
    await opened.closed(SOCKET);
  });
  await box.step('somebody of another group has other rights', async () => {
    await provider.as('alice');
    const other = await box.browser();
    await open(other, '/');
    const { name, groups, permissions } = await me(other);
    assert.deepEqual({ name, groups }, { name: 'alice', groups: ['users'] });
    assert.ok(!permissions.includes('ADMIN') && permissions.includes('PRINT'));
    const status = await other.page.evaluate(async () => (await fetch('/api/access/users')).status);
    assert.equal(status, 403);
  });
  await gateway.end();
  await below(box);
}

async function below(box) {
  const addresses = { 'http://127.0.0.1:5000': await serve(box) };
  await box.gateway('octoprint', { block: 1, addresses });
  await box.step('below a path that is stripped: page, CSRF check, WebSocket', async () => {
    const walker = await box.browser();
    const opened = sockets(walker.page);
    await open(walker, '/print/');
    assert.equal((await me(walker, '/print')).name, 'alice');
    await connect(walker);
    await opened.heard(SOCKET, /Operational/);
    assert.match(opened.seen[0].url, /\/print\/sockjs\//);
  });
}
