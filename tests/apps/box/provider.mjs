// The OpenID Provider of the tests (tests/peers/provider.js), which signs people in without a page.
import assert from 'node:assert/strict';
import { freePort } from './program.mjs';

const SECRET = 'throw-away-client-secret-of-the-tests';

export class Provider {
  /// `client` says more of the gateway's registration, `env` is for the provider (see provider.js).
  static async start(box, { client = {}, env = {} }) {
    const port = await freePort();
    const registration = {
      client_id: 'portcullis',
      client_secret: SECRET,
      redirect_uris: [`${box.url}/.portcullis/callback`],
      post_logout_redirect_uris: [`${box.url}/.portcullis/signed-out`],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      scope: 'openid offline_access email profile groups orders:read packages:read packages:write files:read files:write metrics:read',
      ...client,
    };
    await box.start('node', [`${box.root}tests/peers/provider.js`, String(port)], {
      env: { CLIENTS: JSON.stringify([registration]), ...env }, ready: { port }, log: 'provider',
    });
    return new Provider(port);
  }

  constructor(port) {
    Object.assign(this, { port, issuer: `http://127.0.0.1:${port}`, secret: SECRET });
  }

  /// Who signs in from now on: alice (staff), bob (staff, ops) or zoe.
  async as(person) {
    const told = await fetch(`${this.issuer}/control/as?user=${person}`, { method: 'POST' });
    assert.equal(told.status, 200);
  }

  /// An access token of a program (RFC 6749, section 4.4), for the audience `https://api.corp.example`.
  async token(scope = 'orders:read') {
    const form = new URLSearchParams({ client_id: 'portcullis', client_secret: SECRET, grant_type: 'client_credentials', scope });
    const answer = await fetch(`${this.issuer}/token`, { method: 'POST', body: form });
    const { access_token: token } = await answer.json();
    assert.ok(token, `the provider gave no token: ${answer.status}`);
    return token;
  }
}
