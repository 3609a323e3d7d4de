// An OpenID Provider for measures: whoever comes is signed in, each time as somebody new.
//   node provider.mjs PORT [SECONDS] [MS]   tokens of a sign-in are good for so long, those of a refresh for an hour; an
//                                           answer of the token endpoint takes so long
//   GET /control/refreshes   how many refresh calls have come
import { createServer } from 'node:http';
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto';

const port = Number(process.argv[2]), first = Number(process.argv[3] ?? 3600), slow = Number(process.argv[4] ?? 0);
const issuer = `http://127.0.0.1:${port}`;
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const codes = new Map(), grants = new Map();
let people = 0, refreshes = 0;

const metadata = {
  issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
  token_endpoint_auth_methods_supported: ['client_secret_basic'], code_challenge_methods_supported: ['S256'],
};
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed(claims) {
  const text = `${encoded({ alg: 'RS256', kid: 'measure', typ: 'JWT' })}.${encoded(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey).toString('base64url')}`;
}

function tokens(grant, lifetime) {
  const now = Math.floor(Date.now() / 1000), refresh = randomUUID();
  const id = { iss: issuer, sub: grant.sub, aud: 'measure', iat: now, exp: now + lifetime, nonce: grant.nonce };
  grants.set(refresh, grant);
  return { access_token: randomUUID(), token_type: 'Bearer', expires_in: lifetime, refresh_token: refresh,
           id_token: signed({ ...id, preferred_username: grant.sub }) };
}

function authorize(query) {
  const code = randomUUID();
  codes.set(code, { sub: `person${people++}`, nonce: query.get('nonce') });
  const back = new URL(query.get('redirect_uri'));
  back.searchParams.set('code', code);
  back.searchParams.set('state', query.get('state'));
  return back.href;
}

// A refresh token is good once, as with providers that rotate them.
function token(form) {
  const refreshing = form.get('grant_type') === 'refresh_token';
  const [from, key] = refreshing ? [grants, form.get('refresh_token')] : [codes, form.get('code')];
  refreshes += refreshing;
  const grant = from.get(key);
  from.delete(key);
  return grant && tokens(grant, refreshing ? 3600 : first);
}

const json = (response, value, status = 200) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));

createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  let body = '';
  for await (const chunk of request) body += chunk;
  switch (url.pathname) {
    case '/.well-known/openid-configuration': return json(response, metadata);
    case '/keys': return json(response, { keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'measure', use: 'sig', alg: 'RS256' }] });
    case '/authorize': return response.writeHead(302, { location: authorize(url.searchParams) }).end();
    case '/control/refreshes': return json(response, refreshes);
    case '/token': {
      const given = token(new URLSearchParams(body));
      return setTimeout(() => (given ? json(response, given) : json(response, { error: 'invalid_grant' }, 400)), slow);
    }
    default: return response.writeHead(404).end();
  }
}).listen(port, '127.0.0.1', 4096);
