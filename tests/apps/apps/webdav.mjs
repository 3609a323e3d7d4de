// WebDAV: Apache's mod_dav, with rclone and the conformance suite litmus as clients.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { adder } from '../box/adder.mjs';
import { apache } from '../box/apache.mjs';
import { command, commandsOf, ofServer, shell } from '../box/command.mjs';

export const title = 'WebDAV';
export const packages = { debian: ['apache2', 'litmus', 'rclone'] };

export async function version(box) {
  const [server, client] = [await command(box, 'apache2', ['-v']), await command(box, 'rclone', ['version'])];
  return `${server.stdout.match(/Apache\/\S+/)[0]} mod_dav, ${client.stdout.split('\n')[0]}`;
}

const SERVER = (root) => `
DocumentRoot ${root}/files
DavLockDB ${root}/lock
<Directory ${root}/files>
  Dav On
  Require all granted
</Directory>`;

export async function run(box) {
  const root = `${box.directory}/srv`;
  for (const folder of ['shared', 'archive']) mkdirSync(`${root}/files/${folder}`, { recursive: true });
  writeFileSync(`${root}/files/archive/old.txt`, 'old');
  ofServer(root);
  const upstream = await apache(box, ['dav', 'dav_fs'], SERVER(root));
  const provider = await box.provider();
  const [reader, writer] = [await provider.token('files:read'), await provider.token('files:read files:write')];
  const addresses = { 'http://127.0.0.1:8082': upstream, 'https://files.corp.example': 'https://api.corp.example' };
  await box.gateway('webdav', { addresses });
  const rclone = (args, more = {}) => command(box, 'rclone', args, { ...more, env: { SSL_CERT_FILE: box.certificate.cert } });
  const lines = commandsOf(box, 'webdav', { 'https://files.corp.example': box.url })[0].split('\n');

  await box.step('writes, moves and lists', async () => {
    mkdirSync(`${box.directory}/notes`);
    for (const name of ['a.txt', 'ä & b.txt']) writeFileSync(`${box.directory}/notes/${name}`, name);
    await shell(box, lines.join('\n'), { env: { SSL_CERT_FILE: box.certificate.cert, TOKEN: writer } });
    assert.equal((await rclone(['lsf', '-R', 'corp:shared'])).stdout, 'b.txt\nnotes/\nnotes/ä & b.txt\n');
    assert.equal((await rclone(['cat', 'corp:shared/notes/ä & b.txt'])).stdout, 'ä & b.txt');
  });
  await box.step('nothing is moved out of what the rules permit, nor into it from elsewhere', async () => {
    const { stderr } = await rclone(['moveto', '--retries', '1', 'corp:shared/b.txt', 'corp:archive/b.txt'], { fails: true });
    assert.match(stderr, /403/);
    await rclone(['moveto', '--retries', '1', 'corp:archive/old.txt', 'corp:shared/old.txt'], { fails: true });
    // Where there is no Destination, Apache takes the path of an older field.
    const { url, end } = await adder(box, `Basic ${Buffer.from(`x:${writer}`).toString('base64')}`);
    for (const headers of [{}, { Destination: '/shared/c.txt', Connection: 'Destination' }]) {
      const { host, port } = new URL(url);
      const sent = { host, 'New-uri': '/archive/b.txt', Overwrite: 'T', ...headers };
      const asked = request({ host: '127.0.0.1', port, method: 'COPY', path: '/shared/b.txt', headers: sent });
      const status = await new Promise((resolve, reject) => {
        asked.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject).end();
      });
      assert.equal(status, 400, JSON.stringify(sent));
    }
    await end();
    assert.equal((await rclone(['lsf', '-R', 'corp:archive'])).stdout, 'old.txt\n');
  });
  await box.step('the conformance suite litmus', async () => {
    // Its library takes passwords of up to 255 characters, and a token is longer.
    const { url, end } = await adder(box, `Basic ${Buffer.from(`x:${writer}`).toString('base64')}`);
    const { stdout } = await command(box, 'litmus', ['-k', `${url}/shared/`], { env: { HTDOCS: '/usr/share/litmus/htdocs' } });
    await end();
    assert.doesNotMatch(stdout, /FAIL/);
    assert.match(stdout, /summary for `http'/);
  });
  await box.step('who may only read changes nothing', async () => {
    await shell(box, lines[0], { env: { TOKEN: reader } });
    await rclone(['lsf', 'corp:shared']);
    const { stderr } = await rclone(['delete', '--retries', '1', 'corp:shared'], { fails: true });
    assert.match(stderr, /403/);
  });
}
