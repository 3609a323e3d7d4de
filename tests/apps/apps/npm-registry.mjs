// Verdaccio, with npm as its client.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { command, commandsOf, shell } from '../box/command.mjs';

export const title = 'npm registry';
export const packages = { npm: true };

export async function version(box) {
  const verdaccio = JSON.parse(readFileSync(`${box.packages}/npm/node_modules/verdaccio/package.json`, 'utf8')).version;
  return `Verdaccio ${verdaccio}, npm ${(await command(box, 'npm', ['--version'])).stdout.trim()}`;
}

async function registry(box) {
  const port = await box.freePort();
  writeFileSync(`${box.directory}/config.yaml`, `
listen: 127.0.0.1:${port}
storage: ${box.directory}/storage
packages:
  '@corp/*':
    access: $all
    publish: $all
    unpublish: $all
log: { type: stdout, format: json, level: http }
`);
  await box.start(`${box.packages}/npm/node_modules/.bin/verdaccio`, ['--config', `${box.directory}/config.yaml`], { ready: { port } });
  return `http://127.0.0.1:${port}`;
}

function project(folder, manifest, npmrc) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, JSON.stringify(manifest));
  writeFileSync(`${folder}/.npmrc`, npmrc);
}

export async function run(box) {
  const upstream = await registry(box);
  const provider = await box.provider();
  const [reader, writer] = [await provider.token('packages:read'), await provider.token('packages:read packages:write')];
  const addresses = { 'http://127.0.0.1:4873': upstream, 'https://npm.corp.example': 'https://api.corp.example' };
  await box.gateway('npm-registry', { addresses });
  const host = new URL(box.url).host;
  const page = readFileSync(`${box.root}docs/recipes/apps/npm-registry.md`, 'utf8');
  const npmrc = page.match(/^```ini\n(.*?)^```/ms)[1].replaceAll('npm.corp.example', host);
  const [publish, view] = commandsOf(box, 'npm-registry', {})[0].split('\n');
  const npm = (lines, token, cwd, more = {}) => shell(box, lines, { cwd: `${box.directory}/${cwd}`, env: { ...(token && { TOKEN: token }), npm_config_cafile: box.certificate.cert, npm_config_fetch_retries: '0', npm_config_update_notifier: 'false' }, ...more });
  project(`${box.directory}/ui`, { name: '@corp/ui', version: '1.2.3', main: 'index.js' }, npmrc);
  writeFileSync(`${box.directory}/ui/index.js`, `module.exports = '${'ui'.repeat(1 << 18)}';`);
  project(`${box.directory}/app`, { name: 'app', private: true }, npmrc);

  await box.step('publishes a package with a scope', () => npm(publish, writer, 'ui'));
  await box.step('who may read sees it and installs it', async () => {
    assert.equal((await npm(view, reader, 'app')).stdout.trim(), '1.2.3');
    await npm('npm install @corp/ui --no-audit --no-fund', reader, 'app');
    assert.match(readFileSync(`${box.directory}/app/package-lock.json`, 'utf8'), new RegExp(`https://${host}/@corp/ui/-/`));
  });
  await box.step('who may only read publishes nothing', async () => {
    project(`${box.directory}/ui`, { name: '@corp/ui', version: '1.2.4' }, npmrc);
    const { stderr } = await npm(publish, reader, 'ui', { fails: true });
    assert.match(stderr, /E403/);
  });
  await box.step('without a token nothing is seen', async () => {
    const { stderr } = await npm(view, 'x.y.z', 'app', { fails: true });
    assert.match(stderr, /E401/);
  });
  await box.step('with the token as a password', async () => {
    const basic = `//${host}/:username=x\n//${host}/:_password=${Buffer.from(reader).toString('base64')}\n`;
    project(`${box.directory}/old`, { name: 'old', private: true }, `@corp:registry=https://${host}/\n${basic}`);
    assert.equal((await npm(view, undefined, 'old')).stdout.trim(), '1.2.3');
  });
}
