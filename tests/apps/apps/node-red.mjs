// Node-RED: flows are edited, deployed and run; who may do that is told by a header.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { cookies, signOut, sockets } from '../box/people.mjs';

export const title = 'Node-RED';
export const packages = { npm: true };
export const host = 'flows.corp.example';

/// It answers at /hello, and tells the editor what it was asked.
const FLOW = [
  { id: 'f1', type: 'tab', label: 'Tried' },
  { id: 'n1', type: 'http in', z: 'f1', url: '/hello', method: 'get', x: 100, y: 80, wires: [['n2', 'n4']] },
  { id: 'n2', type: 'template', z: 'f1', field: 'payload', syntax: 'mustache', template: 'hello {{req.headers.x-auth-request-user}}', x: 300, y: 80, wires: [['n3']] },
  { id: 'n3', type: 'http response', z: 'f1', statusCode: '200', x: 500, y: 80, wires: [] },
  { id: 'n4', type: 'debug', z: 'f1', active: true, tosidebar: true, complete: 'payload', targetType: 'msg', x: 300, y: 140, wires: [] },
];

export function version(box) {
  return JSON.parse(readFileSync(`${box.packages}/npm/node_modules/node-red/package.json`)).version;
}

/// Started with the settings of the recipe; its upstream.
async function serve(box, more = '') {
  const port = await box.freePort();
  const page = readFileSync(`${box.root}docs/recipes/apps/node-red.md`, 'utf8');
  const settings = /^```js\n(.*?)^```/ms.exec(page)[1].replace('uiPort: 1880', `uiPort: ${port}`);
  // It would ask for the newest version at its makers', and show newcomers around.
  const quiet = `Object.assign(module.exports, { telemetry: { enabled: false }, editorTheme: { tours: false }, ${more} });`;
  writeFileSync(`${box.directory}/settings-${port}.js`, `${settings}\n${quiet}`);
  const args = ['--settings', `${box.directory}/settings-${port}.js`, '--userDir', `${box.directory}/user-${port}`];
  await box.start(`${box.packages}/npm/node_modules/.bin/node-red`, args, { ready: { port } });
  return `http://127.0.0.1:${port}`;
}

async function editor(walker, path = '/') {
  await walker.go(path);
  await walker.page.waitForFunction(() => window.RED?.settings?.user && window.RED.nodes.version() && window.RED.workspaces.count() > 0);
}

const user = (walker) => walker.page.evaluate(() => window.RED.settings.user.username);

async function deploy(walker) {
  await walker.page.evaluate((flow) => {
    window.RED.nodes.import(flow, { generateIds: false });
    window.RED.nodes.dirty(true);
  }, FLOW);
  await walker.page.locator('#red-ui-header-button-deploy').click();
  await walker.page.getByText('Successfully deployed').waitFor();
}

export async function run(box) {
  const provider = await box.provider();
  const upstream = await serve(box);
  const gateway = await box.gateway('node-red', { addresses: { 'http://127.0.0.1:1880': upstream } });
  const walker = await box.browser();
  const opened = sockets(walker.page);
  await provider.as('bob');
  await box.step('sign in: the editor knows who that is, and asks for no password', async () => {
    await editor(walker);
    assert.equal(await user(walker), 'bob');
  });
  await box.step('import a flow, deploy it; its comms WebSocket is told', async () => {
    await deploy(walker);
    await opened.heard(/\/comms$/, /notification\/runtime-deploy/);
  });
  await box.step('the flow answers, knows who asks, and its debug node speaks over the WebSocket', async () => {
    const said = await walker.page.evaluate(async () => (await fetch('/hello?from=page')).text());
    assert.equal(said, 'hello bob');
    await opened.heard(/\/comms$/, /from.*page/s);
  });
  await box.step('a forged X-Auth-Request-User is not believed', async () => {
    const headers = { cookie: await cookies(walker), 'x-auth-request-user': 'mallory', x_auth_request_user: 'mallory' };
    assert.equal((await box.ask('/hello', { headers })).body, 'hello bob');
    assert.equal((await box.ask('/hello', { headers: { 'x-auth-request-user': 'bob' } })).status, 401);
  });
  await box.step('signing out ends the WebSocket', async () => {
    await signOut(walker);
    await opened.closed(/\/comms$/);
  });
  await box.step('somebody else may look, and not deploy', async () => {
    await provider.as('alice');
    const other = await box.browser();
    await editor(other);
    assert.equal(await user(other), 'alice');
    const status = await other.page.evaluate(async () => (await fetch('/flows', { method: 'POST', body: '[]', headers: { 'content-type': 'application/json' } })).status);
    assert.equal(status, 401);
  });
  await gateway.end();
  await below(box, provider);
}

async function below(box, provider) {
  const upstream = await serve(box, "httpRoot: '/red/'");
  await box.gateway('node-red', { block: 1, addresses: { 'http://127.0.0.1:1880': upstream } });
  await box.step('below a path of its own: editor, deploy, WebSocket', async () => {
    await provider.as('bob');
    const walker = await box.browser();
    const opened = sockets(walker.page);
    await editor(walker, '/red/');
    await deploy(walker);
    await opened.heard(/\/red\/comms$/, /notification\/runtime-deploy/);
  });
}
