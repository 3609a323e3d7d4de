// A realm, the gateway as its client, and the app behind it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { freePort, until } from '../box/program.mjs';
import { PASSWORD, SECRET, gateway, realm } from './realm.mjs';

/// An app that answers with what it was told.
export async function app() {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ url: request.url, headers: request.headers }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  server.unref();
  return `http://127.0.0.1:${server.address().port}`;
}

/// A route for whom `rules` let in.
export const route = (rules) => `
[[routes]]
name = "wiki"
host = "localhost"
upstream = "{app}"
identity = { headers = "x-auth-request", token = "access" }
${rules}
`;

export class World {
  /// `client` says more of the gateway's registration, `others` are further ones, `more` is said of the realm.
  /// `provider` are lines of the configuration, `files` lie beside it.
  static async open(trial, name, { client = {}, others = [], more = {}, ...written } = {}) {
    const world = new World(trial, name, await freePort(), await freePort());
    await trial.keycloak.admin('POST', '', realm(name, [gateway(world.url, client), ...others], more));
    world.write(written);
    await world.start();
    return world;
  }

  constructor({ box, keycloak, app }, name, port, adminPort) {
    const directory = `${box.directory}/${name}`;
    mkdirSync(directory, { recursive: true });
    Object.assign(this, { box, keycloak, app, name, port, adminPort, directory, url: `https://localhost:${port}`, walkers: [] });
    this.issuer = `${keycloak.url}/realms/${name}`;
    this.configuration = `${directory}/portcullis.toml`;
  }

  /// The configuration of the recipe where `recipe` says so, or one with these lines.
  write({ recipe = false, issuer = this.issuer, provider = '', routes = route('access = "signed-in"'), files = {} } = {}) {
    for (const [file, text] of Object.entries(files)) writeFileSync(`${this.directory}/${file}`, text, { mode: 0o600 });
    const secret = provider.includes('private_key') ? '' : 'client_secret = { env = "KEYCLOAK_CLIENT_SECRET" }';
    const { cert, key } = this.box.certificate;
    writeFileSync(this.configuration, recipe ? this.#recipe() : `
[server]
listen = "127.0.0.1:${this.port}"
public_url = "${this.url}"
tls = { cert = "${cert}", key = "${key}" }
state = "${this.directory}/state.db"
[admin]
listen = "127.0.0.1:${this.adminPort}"
[log]
format = "json"
[providers.keycloak]
issuer = "${issuer}"
client_id = "portcullis"
${secret}
${provider}
${routes.replaceAll('{app}', this.app)}`);
  }

  /// What stands in docs/recipes/keycloak.md, with the addresses of this machine.
  #recipe() {
    const page = readFileSync(`${this.box.root}docs/recipes/keycloak.md`, 'utf8');
    const addresses = {
      '0.0.0.0:443': `127.0.0.1:${this.port}`, 'https://login.corp.example': this.url,
      '/etc/portcullis/tls.crt': this.box.certificate.cert, '/etc/portcullis/tls.key': this.box.certificate.key,
      '/var/lib/portcullis/state.db': `${this.directory}/state.db`,
      'https://keycloak.corp.example/realms/corp': this.issuer,
      '"wiki.corp.example"': '"localhost"', 'http://10.0.0.5:8080': this.app,
    };
    return Object.entries(addresses).reduce((text, [from, to]) => {
      assert.ok(text.includes(from), `the recipe does not hold ${from}`);
      return text.replaceAll(from, to);
    }, /^```toml\n(.*?)^```/ms.exec(page)[1]);
  }

  #portcullis(args, more) {
    const env = { KEYCLOAK_CLIENT_SECRET: SECRET };
    const program = process.env.PORTCULLIS ?? `${this.box.root}target/release/portcullis`;
    return this.box.start(program, args, { env, ...more });
  }

  async start() {
    const more = { ready: { port: this.port }, log: `gateway-${this.name}` };
    this.gateway = await this.#portcullis(['run', '--config', this.configuration], more);
  }

  async restart(written) {
    await this.gateway.end();
    this.write(written);
    await this.start();
  }

  async end() {
    for (const walker of this.walkers) await walker.end();
    await this.gateway.end();
  }

  /// What `portcullis check --online` says, and its exit code.
  async check(written) {
    this.write(written);
    this.checks = (this.checks ?? 0) + 1;
    const checked = await this.#portcullis(['check', '--online', this.configuration], { log: `check-${this.name}-${this.checks}` });
    return { code: await checked.ended, text: checked.output() };
  }

  /// A line of the gateway's log that holds all of these.
  async logged(...parts) {
    const found = () => this.gateway.output().split('\n').find((line) => parts.every((part) => line.includes(part)));
    return until(`a line of the log with ${parts.join(', ')}`, found);
  }

  /// What the admin listener says of what is missing.
  async readiness() {
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}/readyz`);
    return { status: answer.status, text: await answer.text() };
  }

  /// A call to the realm's part of the admin's API.
  admin(method, path, body) {
    return this.keycloak.admin(method, `/${this.name}${path}`, body);
  }

  async user(name) {
    const [found] = await this.admin('GET', `/users?username=${name}&exact=true`);
    return found;
  }

  /// A token of a program (client credentials).
  async token(client = 'program') {
    const form = new URLSearchParams({ client_id: client, client_secret: SECRET, grant_type: 'client_credentials' });
    const answer = await fetch(`${this.issuer}/protocol/openid-connect/token`, { method: 'POST', body: form });
    const { access_token: token } = await answer.json();
    assert.ok(token, `Keycloak gave no token: ${answer.status}`);
    return token;
  }

  /// What a program with this token is answered.
  ask(token) {
    return new Promise((resolve, reject) => {
      const options = { headers: { authorization: `Bearer ${token}` }, ca: readFileSync(this.box.certificate.cert), agent: false };
      const asked = request(this.url, options, (answer) => {
        let body = '';
        answer.on('data', (part) => (body += part)).on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode, body }));
      });
      asked.on('error', reject).end();
    });
  }

  async browser() {
    const walker = await this.box.browser();
    walker.gateway = this.url;
    this.walkers.push(walker);
    return walker;
  }

  /// Keycloak's page *Sign in to your account*.
  async fillIn(page, name) {
    await page.locator('#username').fill(name);
    await page.locator('#password').fill(PASSWORD);
    await page.locator('#kc-login').click();
  }

  /// Goes to `path` and fills in Keycloak's form as `name`.
  async begin(page, name, path = '/') {
    await page.goto(this.url + path);
    await this.fillIn(page, name);
  }

  /// The same with an end: what the app was told.
  async signIn(page, name, path = '/') {
    await this.begin(page, name, path);
    return this.told(page, path);
  }

  async told(page, path = '/') {
    await page.waitForURL(this.url + path);
    return JSON.parse(await page.innerText('body')).headers;
  }

  /// Goes to the app again and again until what it was told is as `wanted`.
  async seen(page, what, wanted) {
    return until(what, async () => {
      await page.goto(this.url);
      const told = page.url() === `${this.url}/` && (await this.told(page));
      return told && wanted(told);
    });
  }

  /// Goes to the app again and again until Keycloak asks who it is.
  async sentToSignIn(page) {
    return until('the session to end', async () => {
      await page.goto(this.url);
      return (await page.locator('#username').count()) > 0;
    });
  }

  async signOut(page) {
    await page.goto(`${this.url}/.portcullis/sign-out`);
    await page.getByRole('button', { name: 'Sign out' }).click();
  }
}

const part = (token, at) => JSON.parse(Buffer.from(token.split('.')[at], 'base64url').toString());
export const header = (token) => part(token, 0);
export const claims = (token) => part(token, 1);
