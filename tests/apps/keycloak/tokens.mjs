// Bearer tokens of programs, and the keys that a realm signs with.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { until } from '../box/program.mjs';
import { API, audience, program } from './realm.mjs';
import { World, claims, header } from './world.mjs';

const provider = `audiences = ["${API}"]`;
const LIGHTWEIGHT = { 'client.use.lightweight.access.token.enabled': 'true' };
const KEYS = {
  ES256: { providerId: 'ecdsa-generated', config: { ecdsaEllipticCurveKey: ['P-256'] } },
  ES512: { providerId: 'ecdsa-generated', config: { ecdsaEllipticCurveKey: ['P-521'] } },
  PS256: { providerId: 'rsa-generated', config: { algorithm: ['PS256'] } },
  EdDSA: { providerId: 'eddsa-generated', config: { eddsaEllipticCurveKey: ['Ed25519'] } },
};

const opened = (trial, name, mappers, attributes) =>
  World.open(trial, name, { provider, others: [program(mappers, attributes)] });

async function answered(world, status, ...parts) {
  assert.equal((await world.ask(await world.token())).status, status);
  if (parts.length > 0) await world.logged(...parts);
}

export async function programs(trial) {
  const { box } = trial;
  const world = await opened(trial, 'programs', [audience()]);
  await box.step('a service account with an audience mapper', async () => {
    const { aud, typ } = claims(await world.token());
    assert.deepEqual([[aud].flat().includes(API), typ], [true, 'Bearer']);
    await answered(world, 200, 'service-account-program');
  });
  await box.step('tokens with made-up names of keys are refused, and right ones are still let in', async () => {
    const token = await world.token();
    for (let n = 0; n < 20; n++) {
      const made = JSON.stringify({ ...header(token), kid: randomBytes(16).toString('hex') });
      const forged = token.replace(/^[^.]+/, Buffer.from(made).toString('base64url'));
      assert.equal((await world.ask(forged)).status, 401);
    }
    await world.logged('none of the provider\'s keys is the one the token names', header(token).kid);
    await answered(world, 200);
  });
  await world.end();
  for (const [name, what, mappers, attributes, status, ...parts] of [
    ['bare', 'no audience mapper: refused, and the log says what is expected', [], {}, 401, 'aud', API],
    ['light', 'a lightweight token without audience: refused, and the log names the mapper', [audience()], LIGHTWEIGHT, 401, 'no claim `aud`', 'audience mapper, for lightweight tokens too'],
    ['mapped', 'a lightweight token with the mapper\'s "Add to lightweight access token"', [audience({ lightweight: true })], LIGHTWEIGHT, 200],
    ['typed', 'tokens of type at+jwt (RFC 9068)', [audience()], { 'access.token.header.type.rfc9068': 'true' }, 200],
  ]) {
    const other = await opened(trial, name, mappers, attributes);
    await box.step(what, () => answered(other, status, ...parts));
    await other.end();
  }
}

async function sign(world, name, algorithm, { providerId, config }, priority) {
  const key = { name, providerId, providerType: 'org.keycloak.keys.KeyProvider', config: { ...config, priority: [String(priority)] } };
  await world.admin('POST', '/components', key);
  await world.admin('PUT', '', { ...(await world.admin('GET', '')), defaultSignatureAlgorithm: algorithm });
}

export async function keys(trial) {
  const { box } = trial;
  const world = await opened(trial, 'keys', [audience()]);
  await answered(world, 200);
  await box.step(`a realm that changes while the gateway runs, and signs with ${Object.keys(KEYS).join(', ')}`, async () => {
    for (const [at, [name, key]] of Object.entries(KEYS).entries()) {
      await sign(world, name, name, key, 200 + at);
      assert.equal(header(await world.token()).alg, name);
      await until(`a token of ${name}`, async () => (await world.ask(await world.token())).status === 200);
      const told = await world.signIn((await world.browser()).page, 'alice');
      assert.equal(header(told.authorization.split(' ')[1]).alg, name);
    }
  });
  await box.step('Ed448 is refused, and the log says that this key is not used', async () => {
    await sign(world, 'Ed448', 'EdDSA', { providerId: 'eddsa-generated', config: { eddsaEllipticCurveKey: ['Ed448'] } }, 300);
    // The realm is asked for its keys once in ten seconds, whatever tokens come.
    await until('the reason', async () => {
      await answered(world, 401);
      return world.gateway.output().includes(`${header(await world.token()).kid} (not used: its type or curve`);
    });
  });
  await box.step('HS512 is refused, and the log names what may sign', async () => {
    await sign(world, 'HS512', 'HS512', { providerId: 'hmac-generated', config: { algorithm: ['HS512'] } }, 400);
    await answered(world, 401, 'HS512', 'RS/PS/ES256');
  });
  await world.end();
}
