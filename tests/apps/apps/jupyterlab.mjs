// JupyterLab: a cell runs in a kernel over a WebSocket; the server is one person's.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cookies, signOut, sockets } from '../box/people.mjs';

export const title = 'JupyterLab';
export const packages = { pip: true };
export const host = 'lab.corp.example';

const KERNEL = /\/api\/kernels\/[^/]+\/channels/;

export function version(box) {
  return execFileSync(`${box.packages}/pip/bin/jupyter`, ['lab', '--version']).toString().trim();
}

/// Started with the settings of the recipe; its upstream.
async function serve(box, base) {
  const [home, port] = [`${box.directory}/home${base.replaceAll('/', '-')}`, await box.freePort()];
  mkdirSync(home, { recursive: true });
  const page = readFileSync(`${box.root}docs/recipes/apps/jupyterlab.md`, 'utf8');
  const settings = /^```python\n(.*?)^```/ms.exec(page)[1].replace('port = 8888', `port = ${port}`);
  writeFileSync(`${home}/jupyter_server_config.py`, `${settings}\nc.ServerApp.base_url = "${base}"\nc.ServerApp.root_dir = "${home}"\n`);
  const args = ['lab', '--no-browser', '--allow-root', '--config', `${home}/jupyter_server_config.py`, '--LabApp.news_url=None', '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate'];
  const own = { JUPYTER_CONFIG_DIR: `${home}/.config`, JUPYTER_DATA_DIR: `${home}/.data`, JUPYTER_RUNTIME_DIR: `${home}/.runtime`, IPYTHONDIR: `${home}/.ipython`, JUPYTERLAB_SETTINGS_DIR: `${home}/.settings`, JUPYTERLAB_WORKSPACES_DIR: `${home}/.workspaces` };
  await box.start(`${box.packages}/pip/bin/jupyter`, args, { cwd: home, env: own, ready: { port } });
  return `http://127.0.0.1:${port}`;
}

/// A new notebook whose first cell is run. What is run before the kernel is there is lost.
async function compute(page, code, result) {
  await page.locator('.jp-LauncherCard[data-category="Notebook"]').first().click();
  await page.getByText('| Idle').waitFor({ timeout: 90_000 });
  const cell = page.locator('.jp-Notebook .jp-CodeCell .cm-content').first();
  await cell.click();
  await page.keyboard.type(code);
  await page.keyboard.press('Shift+Enter');
  await page.locator('.jp-OutputArea-output').getByText(result).first().waitFor({ timeout: 90_000 });
}

export async function run(box) {
  const provider = await box.provider();
  const addresses = { 'http://127.0.0.1:8888': await serve(box, '/') };
  const gateway = await box.gateway('jupyterlab', { addresses });
  const walker = await box.browser();
  const opened = sockets(walker.page);
  await box.step('sign in: JupyterLab asks for no token, and knows who that is', async () => {
    await walker.go('/lab');
    await walker.page.locator('.jp-LauncherCard').first().waitFor({ timeout: 90_000 });
    const me = await walker.page.evaluate(async () => (await fetch('/api/me')).json());
    assert.equal(me.identity.username, 'alice');
  });
  await box.step('a cell runs in a kernel, over its WebSocket', async () => {
    await compute(walker.page, 'print(6 * 7 * 1000)', '42000');
    await opened.open(KERNEL);
  });
  await box.step('a file of 20 MB is saved, past the app\'s XSRF check', async () => {
    const saved = await walker.page.evaluate(async () => {
      const token = /_xsrf=([^;]+)/.exec(document.cookie)[1];
      const body = JSON.stringify({ type: 'file', format: 'text', content: 'x'.repeat(20_000_000) });
      return (await fetch('/api/contents/big.txt', { method: 'PUT', body, headers: { 'X-XSRFToken': token } })).status;
    });
    assert.equal(saved, 201);
  });
  await box.step('a forged X-Auth-Request-User is not believed', async () => {
    const forged = { 'x-auth-request-user': 'mallory', 'x_auth_request_user': 'mallory' };
    const answer = await box.ask('/api/me', { headers: { cookie: await cookies(walker), ...forged } });
    assert.equal(JSON.parse(answer.body).identity.username, 'alice');
    assert.equal((await box.ask('/api/me', { headers: forged })).status, 401);
  });
  await box.step('whoever reaches its port around the gateway is nobody', async () => {
    const answer = await fetch(`${addresses['http://127.0.0.1:8888']}/api/contents`, { redirect: 'manual' });
    assert.ok([302, 403].includes(answer.status), `${answer.status}`);
  });
  await box.step('signing out ends the kernel\'s WebSocket', async () => {
    await signOut(walker);
    await opened.closed(KERNEL);
  });
  await box.step('somebody else is refused', async () => {
    await provider.as('bob');
    const other = await box.browser();
    assert.equal(await other.go('/lab'), 403);
  });
  await gateway.end();
  await below(box, provider);
}

async function below(box, provider) {
  const addresses = { 'http://127.0.0.1:8888': await serve(box, '/alice/') };
  await box.gateway('jupyterlab', { block: 1, addresses });
  await box.step('below a path of its own: a cell runs', async () => {
    await provider.as('alice');
    const walker = await box.browser();
    await walker.go('/alice/lab');
    await compute(walker.page, 'print(5 * 5 * 1000)', '25000');
  });
}
