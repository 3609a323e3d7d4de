// Vite's development server: a page that changes while it is looked at.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cookies, signOut, sockets } from '../box/people.mjs';

export const title = 'Vite';
export const packages = { npm: true };
export const host = 'dev.corp.example';

export async function version(box) {
  const { default: told } = await import(`${box.packages}/npm/node_modules/vite/package.json`, { with: { type: 'json' } });
  return told.version;
}

/// A project of two files, served on a free port; its upstream.
async function serve(box, base) {
  const project = `${box.directory}/project${base.replaceAll('/', '-')}`;
  const port = await box.freePort();
  mkdirSync(project, { recursive: true });
  writeFileSync(`${project}/index.html`, '<!doctype html><h1></h1><script type="module" src="/main.js"></script>');
  write(project, 'first');
  writeFileSync(`${project}/vite.config.mjs`, `export default {
    base: '${base}', server: { host: '127.0.0.1', port: ${port}, strictPort: true, allowedHosts: ['${host}'] },
  };`);
  await box.start(`${box.packages}/npm/node_modules/.bin/vite`, [], { cwd: project, ready: { port } });
  return { project, upstream: `http://127.0.0.1:${port}` };
}

/// Vite sends a module that accepts its own change alone, without a reload of the page.
function write(project, text) {
  writeFileSync(`${project}/main.js`, `document.querySelector('h1').textContent = '${text}';
    window.loads ??= Date.now(); import.meta.hot.accept();`);
}

export async function run(box) {
  await box.provider();
  const { project, upstream } = await serve(box, '/');
  const gateway = await box.gateway('vite', { addresses: { 'http://127.0.0.1:5173': upstream } });
  const walker = await box.browser();
  const opened = sockets(walker.page);
  await box.step('sign in, and see the page', async () => {
    await walker.go('/');
    await walker.heading('first');
  });
  await box.step('a changed module reaches the page over the WebSocket, without a reload', async () => {
    const loads = await walker.page.evaluate(() => window.loads);
    await opened.open(/token=/);
    write(project, 'second');
    await walker.heading('second');
    assert.equal(await walker.page.evaluate(() => window.loads), loads);
  });
  await box.step('a page of another site gets no WebSocket', async () => {
    const answer = await box.ask('/', { headers: {
      connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'vite-hmr', origin: 'https://elsewhere.example', cookie: await cookies(walker),
    } });
    assert.equal(answer.status, 403);
  });
  await box.step('signing out ends the WebSocket', async () => {
    await signOut(walker);
    await opened.closed(/token=/);
  });
  await gateway.end();
  await below(box, walker);
}

async function below(box, walker) {
  const { project, upstream } = await serve(box, '/dev/');
  await box.gateway('vite', { block: 1, addresses: { 'http://127.0.0.1:5173': upstream } });
  await box.step('below a path of its own: page, module and change', async () => {
    await walker.go('/dev/');
    await walker.heading('first');
    write(project, 'second');
    await walker.heading('second');
  });
}
