// Keycloak is stopped for a while and started again.
import assert from 'node:assert/strict';
import { until } from '../box/program.mjs';
import { API, audience, program } from './realm.mjs';
import { World } from './world.mjs';

/// No token goes to this app, which goes on without one.
const ROUTES = `
[[routes]]
name = "wiki"
host = "localhost"
upstream = "{app}"
access = "signed-in"
identity = { headers = "x-auth-request" }
`;

export async function outage(trial) {
  const { box, keycloak } = trial;
  const world = await World.open(trial, 'outage', {
    more: { accessTokenLifespan: 20 }, provider: `audiences = ["${API}"]`, routes: ROUTES, others: [program([audience()])],
  });
  const { page } = await world.browser();
  const { page: waiting } = await world.browser();
  await world.signIn(page, 'alice');
  const token = await world.token();
  await keycloak.pause();
  const asks = () => page.goto(world.url).then((answer) => answer.status());
  await box.step('Keycloak is stopped: people go on, also behind the end of their tokens; the log and /readyz tell', async () => {
    assert.equal(await asks(), 200);
    assert.equal((await world.ask(token)).status, 200);
    await until('a refresh that fails', async () => (await asks()) === 200 && world.gateway.output().includes('tokens.not-refreshed'));
    assert.equal(await asks(), 200);
    const { status, text } = await world.readiness();
    assert.equal(status, 200);
    assert.match(text, /keycloak/);
  });
  await box.step('who is not signed in reads that the provider is away, on a page that tries again', async () => {
    assert.equal((await waiting.goto(world.url)).status(), 503);
  });
  await box.step('Keycloak is started again: that page goes on to the sign-in by itself, sessions go on, /readyz is clean', async () => {
    await keycloak.resume();
    await waiting.locator('#username').waitFor({ timeout: 120_000 });
    await world.fillIn(waiting, 'bob');
    assert.equal((await world.told(waiting))['x-auth-request-user'], 'bob');
    await world.seen(page, 'alice to go on', (told) => told['x-auth-request-user'] === 'alice');
    await until('/readyz to name nothing', async () => !(await world.readiness()).text.includes('keycloak'));
  });
  await world.end();
}
