// pypiserver, with twine and pip as its clients.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { command, commandsOf, shell } from '../box/command.mjs';

export const title = 'Python packages';
export const packages = { pip: true };

export async function version(box) {
  const { stdout } = await command(box, `${box.packages}/pip/bin/pip`, ['list', '--format', 'freeze', '--disable-pip-version-check']);
  const of = (name) => stdout.match(new RegExp(`^${name}==(.*)$`, 'm'))[1];
  return `pypiserver ${of('pypiserver')}, pip ${of('pip')}, twine ${of('twine')}`;
}

// A wheel is a zip archive; Python has what makes one.
const WHEEL = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1] + '/corp_hello-1.2.3-py3-none-any.whl', 'w') as wheel:
    info = 'corp_hello-1.2.3.dist-info/'
    wheel.writestr('corp_hello.py', 'said = "hello"')
    wheel.writestr('big.bin', 'x' * (1 << 22))
    wheel.writestr(info + 'METADATA', 'Metadata-Version: 2.1\\nName: corp-hello\\nVersion: 1.2.3\\n')
    wheel.writestr(info + 'WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(info + 'RECORD', '')
`;

export async function run(box) {
  const bin = `${box.packages}/pip/bin`;
  const port = await box.freePort();
  for (const folder of ['served', 'dist']) mkdirSync(`${box.directory}/${folder}`);
  await command(box, `${bin}/python`, ['-c', WHEEL, 'dist']);
  await box.start(`${bin}/pypi-server`, ['run', '--interface', '127.0.0.1', '--port', String(port), '--authenticate', '.', '--passwords', '.', '--disable-fallback', 'served'], { ready: { port } });
  const provider = await box.provider();
  const [reader, writer] = [await provider.token('packages:read'), await provider.token('packages:read packages:write')];
  const addresses = { 'http://127.0.0.1:8083': `http://127.0.0.1:${port}`, 'https://python.corp.example': 'https://api.corp.example' };
  await box.gateway('python-packages', { addresses });
  const [upload, install] = commandsOf(box, 'python-packages', { 'python.corp.example': new URL(box.url).host })[0].split('\n');
  await command(box, `${bin}/python`, ['-m', 'venv', 'client']);
  const path = `${box.directory}/client/bin:${bin}:${process.env.PATH}`;
  const as = (TOKEN, lines, more = {}) => shell(box, lines, { env: { TOKEN, PATH: path, REQUESTS_CA_BUNDLE: box.certificate.cert, PIP_CERT: box.certificate.cert, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_NO_CACHE_DIR: '1', PIP_CONFIG_FILE: '/dev/null' }, ...more });

  await box.step('who may only read uploads nothing', async () => {
    const { stdout, stderr } = await as(reader, upload, { fails: true });
    assert.match(stdout + stderr, /403/);
  });
  await box.step('uploads with twine', () => as(writer, upload));
  await box.step('installs with the token in the address', async () => {
    await as(reader, install);
    assert.equal((await as(reader, 'python -c "import corp_hello; print(corp_hello.said)"')).stdout.trim(), 'hello');
  });
  await box.step('installs with the token in .netrc', async () => {
    const { hostname, host } = new URL(box.url);
    writeFileSync(`${box.directory}/.netrc`, `machine ${hostname} login x password ${reader}\n`, { mode: 0o600 });
    await as('', `pip download --quiet --index-url https://${host}/simple/ corp-hello`);
  });
  await box.step('a token that is none is refused', async () => {
    const { stderr } = await as('x.y.z', install.replace('install', 'download --no-input'), { fails: true });
    assert.match(stderr, /No matching distribution/);
  });
}
