// Git over HTTP: `git http-backend` behind Apache, and git itself as the client.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { apache } from '../box/apache.mjs';
import { command, commandsOf, ofServer, shell } from '../box/command.mjs';

export const title = 'Git';
export const packages = { debian: ['apache2', 'git'] };

export async function version(box) {
  const { stdout } = await command(box, 'git', ['--version']);
  return `${stdout.trim()}, http-backend behind Apache`;
}

const AUTHOR = { GIT_AUTHOR_NAME: 'x', GIT_AUTHOR_EMAIL: 'x@x', GIT_COMMITTER_NAME: 'x', GIT_COMMITTER_EMAIL: 'x@x' };

const SERVER = (root) => `
SetEnv GIT_PROJECT_ROOT ${root}
SetEnv GIT_HTTP_EXPORT_ALL
SetEnvIf Remote-User "^(.+)$" REMOTE_USER=$1
ScriptAlias / /usr/lib/git-core/git-http-backend/
<Location />
  Require all granted
</Location>
ScriptSock ${root}.sock`;

export async function run(box) {
  const root = `${box.directory}/srv`;
  mkdirSync(root, { recursive: true });
  await command(box, 'git', ['init', '--bare', '--quiet', '--initial-branch=main', `${root}/project.git`]);
  ofServer(root);
  const upstream = await apache(box, ['cgid'], SERVER(root));
  const provider = await box.provider();
  const token = await provider.token();
  await box.gateway('git', { addresses: { 'http://127.0.0.1:8081': upstream, 'https://git.corp.example': 'https://api.corp.example' } });
  const env = { GIT_SSL_CAINFO: box.certificate.cert, GIT_TERMINAL_PROMPT: '0', TOKEN: token };
  const git = (args, more = {}) => command(box, 'git', args, { env: { ...env, ...AUTHOR }, ...more });
  const [byPerson, inBuild] = commandsOf(box, 'git', { 'https://git.corp.example': box.url });
  const work = `${box.directory}/project`;

  await box.step('without a token nothing is cloned', async () => {
    const { stderr } = await git(['clone', `${box.url}/project.git`, 'nothing'], { fails: true });
    assert.match(stderr, /could not read Username|Authentication failed/);
  });
  await box.step('a build clones with the token in its environment', () => shell(box, inBuild, { env }));
  await box.step('pushes by a credential helper, and clones', async () => {
    writeFileSync(`${box.directory}/.git-credentials`, `https://x:${token}@${new URL(box.url).host.replace(':', '%3a')}\n`);
    writeFileSync(`${work}/a.txt`, 'first');
    await git(['add', '.'], { cwd: work });
    await git(['commit', '--quiet', '-m', 'first'], { cwd: work });
    await git(['config', '--global', 'credential.helper', 'store']);
    await git(['push', '--quiet', 'origin', 'HEAD:main'], { cwd: work });
    await command(box, 'rm', ['-rf', work]);
    await shell(box, byPerson, { env });
    assert.equal((await command(box, 'cat', [`${work}/a.txt`])).stdout, 'first');
  });
  await box.step('a push of 32 MiB, in chunks', async () => {
    writeFileSync(`${work}/big`, randomBytes(1 << 25));
    await git(['add', '.'], { cwd: work });
    await git(['commit', '--quiet', '-m', 'big'], { cwd: work });
    await git(['push', '--quiet', 'origin', 'HEAD:main'], { cwd: work });
  });
  await box.step('a fetch that names much, which git compresses', async () => {
    await shell(box, `cd project; for i in $(seq 60); do git commit --quiet --allow-empty -m $i; git tag t$i HEAD; git reset --quiet --hard HEAD^; done
      git push --quiet --tags`, { env: { ...env, ...AUTHOR } });
    await git(['clone', '--quiet', `${box.url}/project.git`, 'again'], { env: { ...env, GIT_TRACE_CURL: `${box.directory}/curl.log` } });
    assert.equal((await git(['tag', '--list'], { cwd: `${box.directory}/again` })).stdout.trim().split('\n').length, 60);
    assert.match((await command(box, 'cat', ['curl.log'])).stdout, /Content-Encoding: gzip/i);
  });
  await box.step('a token that is none is refused', async () => {
    const lines = `git config --global --unset credential.helper; ${inBuild.replace('clone', 'clone -q')} refused`;
    const { stderr } = await shell(box, lines, { env: { ...env, TOKEN: 'x.y.z' }, fails: true });
    assert.match(stderr, /Authentication failed/);
  });
}
