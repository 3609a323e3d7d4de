// The registry of images, with skopeo as its client.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { command, commandsOf, shell } from '../box/command.mjs';

export const title = 'Docker registry';
export const packages = { debian: ['docker-registry', 'skopeo'] };

export async function version(box) {
  const [server, client] = [await command(box, 'docker-registry', ['--version']), await command(box, 'skopeo', ['--version'])];
  return `${server.stdout.trim().split(' ').at(-1)}, ${client.stdout.trim()}`;
}

/// An image of one layer of 16 MiB, as OCI's layout of files.
function image(folder) {
  mkdirSync(`${folder}/blobs/sha256`, { recursive: true });
  const blob = (bytes, mediaType) => {
    const digest = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(`${folder}/blobs/sha256/${digest}`, bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const oci = 'application/vnd.oci.image';
  const content = randomBytes(1 << 24);
  const layer = blob(gzipSync(content), `${oci}.layer.v1.tar+gzip`);
  const diff = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const config = blob(Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diff] } })), `${oci}.config.v1+json`);
  const manifest = blob(Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json`, config, layers: [layer] })), `${oci}.manifest.v1+json`);
  writeFileSync(`${folder}/index.json`, JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  writeFileSync(`${folder}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
}

async function registry(box) {
  const port = await box.freePort();
  writeFileSync(`${box.directory}/registry.json`, JSON.stringify({
    version: 0.1, storage: { filesystem: { rootdirectory: `${box.directory}/registry` } }, http: { addr: `127.0.0.1:${port}` },
  }));
  await box.start('docker-registry', ['serve', `${box.directory}/registry.json`], { ready: { port } });
  return `http://127.0.0.1:${port}`;
}

export async function run(box) {
  const upstream = await registry(box);
  const provider = await box.provider();
  const [reader, writer] = [await provider.token('packages:read'), await provider.token('packages:read packages:write')];
  const addresses = { 'http://127.0.0.1:5000': upstream, 'https://images.corp.example': 'https://api.corp.example' };
  await box.gateway('docker-registry', { addresses });
  image(`${box.directory}/image`);
  const env = { SSL_CERT_FILE: box.certificate.cert, REGISTRY_AUTH_FILE: `${box.directory}/auth.json` };
  const host = new URL(box.url).host;
  const [logIn, push, inspect] = commandsOf(box, 'docker-registry', { 'images.corp.example': host })[0].split('\n')
    .map((line) => line.replace('skopeo ', 'skopeo --insecure-policy '));
  const as = (token, ...lines) => shell(box, lines.join('\n'), { env: { ...env, TOKEN: token } });

  await box.step('who has no good token is not logged in', async () => {
    const { stderr } = await shell(box, logIn, { env: { ...env, TOKEN: 'x.y.z' }, fails: true });
    assert.match(stderr, /unauthorized|invalid username\/password/);
  });
  await box.step('logs in, pushes a layer of 16 MiB and looks at it', async () => {
    const { stdout } = await as(writer, logIn, push, inspect);
    assert.match(stdout, /"Layers": \[\s*"sha256:/);
  });
  await box.step('who may read pulls, and pushes nothing', async () => {
    await as(reader, logIn, `skopeo --insecure-policy copy docker://${host}/team/app:1 oci:pulled`);
    const { stderr } = await shell(box, push.replace('app:1', 'other:1'), { env, fails: true });
    assert.match(stderr, /denied|403|unauthorized/i);
  });
  await box.step('nothing without logging in', async () => {
    await shell(box, inspect, { env: { ...env, REGISTRY_AUTH_FILE: `${box.directory}/none.json` }, fails: true });
  });
}
