// A real Keycloak: fetched once, checked against a pinned digest, and run on loopback with a data folder of its own.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { freePort, until } from '../box/program.mjs';

export const VERSION = '26.5.6';
const DIGEST = 'fa3dd5df90b9ac006712c2f0991be4e8a6cb30ac538e0439ce2f45fc40f4c692'; // SHA-256 of the archive
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1';
const PATIENCE = 600_000; // milliseconds: the first start builds the server for its options

/// The folder of the unpacked server. Maven knows where the archive is; what it brings must be this very file.
function unpacked(box) {
  const [name, archive] = [`keycloak-${VERSION}`, `keycloak-quarkus-dist-${VERSION}.tar.gz`];
  const folder = `${box.packages}/${name}`;
  if (existsSync(`${folder}/bin/kc.sh`)) return folder;
  mkdirSync(box.packages, { recursive: true });
  const artifact = `org.keycloak:keycloak-quarkus-dist:${VERSION}:tar.gz`;
  const args = ['-q', '-B', `${PLUGIN}:copy`, `-Dartifact=${artifact}`, `-DoutputDirectory=${box.packages}`];
  execFileSync('mvn', args, { cwd: box.packages, stdio: ['ignore', 'inherit', 'inherit'] });
  const digest = createHash('sha256').update(readFileSync(`${box.packages}/${archive}`)).digest('hex');
  assert.equal(digest, DIGEST, `the digest of ${archive}`);
  execFileSync('tar', ['-xzf', archive], { cwd: box.packages });
  rmSync(`${box.packages}/${archive}`);
  return folder;
}

export class Keycloak {
  static async start(box) {
    const keycloak = new Keycloak(box, await freePort());
    keycloak.folder = unpacked(box);
    await keycloak.resume();
    return keycloak;
  }

  constructor(box, port) {
    Object.assign(this, { box, port, operator: 'operator', url: `http://127.0.0.1:${port}`, password: randomBytes(16).toString('hex') });
  }

  /// Starts it; what it knew it still knows.
  async resume() {
    this.management ??= await freePort();
    const args = [
      'start-dev', '--http-host=127.0.0.1', `--http-port=${this.port}`, `--http-management-port=${this.management}`,
      `--db-url=jdbc:h2:file:${this.box.directory}/keycloak;NON_KEYWORDS=VALUE`,
    ];
    const env = {
      KC_BOOTSTRAP_ADMIN_USERNAME: this.operator, KC_BOOTSTRAP_ADMIN_PASSWORD: this.password,
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
    };
    this.program = await this.box.start(`${this.folder}/bin/kc.sh`, args, { env, log: 'keycloak' });
    const answers = () => fetch(`${this.url}/realms/master`).then((answer) => answer.ok, () => false);
    await until('Keycloak to answer', answers, PATIENCE);
  }

  async pause() {
    await this.program.end();
  }

  /// A call to the admin's API, as the console makes them; the JSON that comes back.
  async admin(method, path, body) {
    const answer = await fetch(`${this.url}/admin/realms${path}`, {
      method, body: body && JSON.stringify(body),
      headers: { authorization: `Bearer ${await this.#token()}`, 'content-type': 'application/json' },
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  async #token() {
    const form = new URLSearchParams({
      client_id: 'admin-cli', grant_type: 'password', username: this.operator, password: this.password,
    });
    const answer = await fetch(`${this.url}/realms/master/protocol/openid-connect/token`, { method: 'POST', body: form });
    return (await answer.json()).access_token;
  }
}
