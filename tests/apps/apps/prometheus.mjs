// Prometheus below a path: its page behind a sign-in, and its scrapes of a target behind the gateway, which is itself.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { command, commandsOf } from '../box/command.mjs';
import { signOut } from '../box/people.mjs';
import { until } from '../box/program.mjs';

export const title = 'Prometheus';
export const packages = { debian: ['prometheus'] };

export async function version(box) {
  const { stdout, stderr } = await command(box, 'prometheus', ['--version']);
  return (stdout + stderr).match(/version (\S+)/)[1];
}

/// The scrape configuration of the page, with the addresses of this machine.
function scrapes(box, provider) {
  const page = readFileSync(`${box.root}docs/recipes/apps/prometheus.md`, 'utf8');
  const tls = `tls_config: { ca_file: ${box.certificate.cert}, server_name: localhost }`;
  return page.match(/^```yaml\n(.*?)^```/ms)[1]
    .replaceAll("targets: ['ops.corp.example']", `targets: ['localhost:${box.port}']`)
    .replaceAll('    scheme: https', `    scheme: https\n    scrape_interval: 1s\n    ${tls}`)
    .replaceAll('client_id: prometheus', 'client_id: portcullis')
    .replaceAll('/etc/prometheus/', `${box.directory}/`)
    .replaceAll('https://id.corp.example', provider.issuer);
}

export async function run(box) {
  const provider = await box.provider();
  const port = await box.freePort();
  writeFileSync(`${box.directory}/client-secret`, provider.secret);
  writeFileSync(`${box.directory}/token`, await provider.token('metrics:read'));
  writeFileSync(`${box.directory}/prometheus.yml`, scrapes(box, provider));
  const [line] = commandsOf(box, 'prometheus', { '127.0.0.1:9091': `127.0.0.1:${port}`, 'https://ops.corp.example': box.url });
  await box.start('prometheus', [...line.split(' ').slice(1), '--config.file=prometheus.yml', '--storage.tsdb.path=data'], { ready: { port } });
  await box.gateway('prometheus', { addresses: { 'http://127.0.0.1:9091': `http://127.0.0.1:${port}`, 'https://metrics.corp.example': 'https://api.corp.example' } });
  const walker = await box.browser();
  const targets = async () => (await (await fetch(`http://127.0.0.1:${port}/prometheus/api/v1/targets`)).json()).data.activeTargets;

  await box.step('who is not of the group is refused', async () => {
    await walker.go('/prometheus/graph');
    assert.match(await walker.page.locator('body').innerText(), /alice/);
    await signOut(walker);
  });
  await box.step('sign in below the path, and follow its redirects to its page', async () => {
    await provider.as('bob');
    await walker.go('/prometheus/');
    await walker.page.waitForURL(/\/prometheus\/.*graph$/);
    await walker.page.locator('.execute_btn, .execute-btn, button[type=submit]').first().waitFor();
  });
  await box.step('its page asks and is answered', async () => {
    const asked = async () => (await fetch('/prometheus/api/v1/query?query=vector(42)')).json();
    assert.equal((await walker.page.evaluate(asked)).data.result[0].value[1], '42');
  });
  await box.step('scrapes itself through the gateway, by client credentials and by a token in a file', () =>
    until('both targets to be up', async () => (await targets()).every(({ health }) => health === 'up')));
  await box.step('a token that is none makes the target down', async () => {
    writeFileSync(`${box.directory}/token`, 'x.y.z');
    const down = await until('the target to be down', async () => (await targets()).find(({ health }) => health === 'down'));
    assert.match(down.lastError, /401/);
  });
}
