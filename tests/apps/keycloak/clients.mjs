// What a registration at Keycloak may ask for, and how it is told what does not work.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { API, audience, groups } from './realm.mjs';
import { World } from './world.mjs';

const alice = async (world) => assert.equal((await world.signIn((await world.browser()).page, 'alice'))['x-auth-request-user'], 'alice');

async function refused(world) {
  const { page } = await world.browser();
  await world.begin(page, 'alice');
  await page.getByText('Sign-in did not work').waitFor();
}

/// A key and a certificate of it, in PEM.
function credential(directory) {
  const [key, cert] = [`${directory}/client.key`, `${directory}/client.crt`];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=portcullis',
    '-keyout', key, '-out', cert,
  ], { stdio: 'pipe' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

export async function privateKey(trial) {
  const { box } = trial;
  const { key, cert } = credential(box.directory);
  const files = { 'client.key': key };
  const attributes = { 'jwt.credential.certificate': cert.replace(/-----.*-----|\n/g, ''), 'token.endpoint.auth.signing.alg': 'ES256' };
  const named = 'private_key = { file = "client.key" }';
  const world = await World.open(trial, 'certificate', {
    client: { clientAuthenticatorType: 'client-jwt', attributes }, provider: named, files,
  });
  await box.step('private_key_jwt with an imported certificate: another kid than Keycloak\'s is refused, and the log says what to do', async () => {
    await refused(world);
    await world.logged('does not accept our client assertion', 'client_assertion_kid');
  });
  await box.step('private_key_jwt with an imported certificate and client_assertion_kid = ""', async () => {
    await world.restart({ provider: `${named}\nclient_assertion_kid = ""` });
    await alice(world);
  });
  await world.end();
  const jwk = { ...createPublicKey(cert).export({ format: 'jwk' }), kid: 'portcullis-2026', use: 'sig', alg: 'ES256' };
  const registered = await World.open(trial, 'jwks', {
    client: { clientAuthenticatorType: 'client-jwt', attributes: { 'use.jwks.string': 'true', 'jwks.string': JSON.stringify({ keys: [jwk] }) } },
    provider: `${named}\nclient_assertion_kid = "portcullis-2026"`, files,
  });
  await box.step('private_key_jwt with a registered JWK and its kid', () => alice(registered));
  await registered.end();
}

export async function demands(trial) {
  const { box } = trial;
  const posted = await World.open(trial, 'posted', { provider: 'response_mode = "form_post"' });
  await box.step('response_mode = "form_post"', () => alice(posted));
  await posted.end();
  const pkce = await World.open(trial, 'pkce', { client: { attributes: { 'pkce.code.challenge.method': 'S256' } } });
  await box.step('a client that requires PKCE', () => alice(pkce));
  await pkce.end();
  const par = await World.open(trial, 'par', { client: { attributes: { 'require.pushed.authorization.requests': 'true' } } });
  await box.step('a client that requires pushed authorization requests: refused, and the log says why', async () => {
    const { page } = await par.browser();
    await page.goto(par.url);
    await page.getByText('Sign-in is not set up correctly here').waitFor();
    await par.logged('invalid_request', 'Pushed Authorization Request');
  });
  await par.end();
  const secret = await World.open(trial, 'secret', { client: { secret: 'another-one' } });
  await box.step('a wrong client secret: the log has Keycloak\'s word for it', async () => {
    await refused(secret);
    await secret.logged('the token endpoint refused', 'unauthorized_client');
  });
  await secret.end();
}

export async function audiences(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'audiences', { client: { mappers: [groups(), audience({ idToken: true })] } });
  await box.step('an ID token that names another audience beside us is refused, and the log names the key', async () => {
    await refused(world);
    await world.logged(`aud names another audience beside us: ${API}`, 'trusted_audiences');
  });
  await box.step('trusted_audiences lets it in', async () => {
    await world.restart({ provider: `trusted_audiences = "${API}"` });
    await alice(world);
  });
  await world.end();
}

export async function issuers(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'issuers');
  await world.end();
  const said = async (issuer, ...parts) => {
    const { code, text } = await world.check({ issuer });
    assert.equal(code, 1, text);
    parts.forEach((part) => assert.ok(text.includes(part), text));
    await world.restart({ issuer });
    await world.logged('could not be fetched', ...parts.map((part) => JSON.stringify(part).slice(1, -1)));
    await world.end();
  };
  await box.step('a slash behind the issuer: check --online and the log show the line to write', () =>
    said(`${world.issuer}/`, `write \`issuer = "${world.issuer}"\``));
  await box.step('a realm that does not exist, or /auth before /realms: status 404, and what to check', async () => {
    await said(`${trial.keycloak.url}/realms/none`, 'status 404', 'check host, realm or tenant');
    await said(`${trial.keycloak.url}/auth/realms/issuers`, 'status 404', 'check host, realm or tenant');
  });
  await box.step('the right issuer: check --online says good', async () => {
    const { code, text } = await world.check();
    assert.equal(code, 0, text);
    assert.ok(text.includes('provider keycloak: good'), text);
  });
}
