// A certified OpenID Provider for the tests: `node provider.js PORT`.
// It signs in whom `login_hint` (or `?as=` of /control/as) names, without a page.
//   POST /control/rotate?alg=ES256   signs with a new key of that algorithm from now on; the old key goes
//   POST /control/as?user=bob        who is signed in next
//   POST /control/groups?user=alice&of=board   the groups of somebody from now on
//   POST /control/lifetime?s=2       seconds that access tokens live
//   POST /control/revoke             no refresh token is honoured any more
//   POST /control/count?path=/token  how many requests have come to that path
//   POST /control/levels?of=pwd,mfa  the levels (acr) at which it can sign people in; the first where none is asked for
//   POST /control/slow?s=12          how long the token endpoint lets wait from now on
//   POST /control/ago?s=3600         how long ago people have typed their password who sign in from now on
import { createServer } from 'node:http';
import { generateKeyPair, exportJWK } from 'jose';
import Provider, { interactionPolicy } from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const people = {
  alice: { email: 'alice@corp.example', email_verified: true, groups: ['staff'], preferred_username: 'alice' },
  bob: { email: 'bob@corp.example', email_verified: true, groups: ['staff', 'ops'], preferred_username: 'bob' },
  zoe: { email: 'zoe@corp.example', email_verified: true, groups: ['Büro, Süd', 'staff'], preferred_username: 'Zoë 100%', name: 'Zoë, the one' },
};
const OF_APIS = ['orders:read', 'packages:read', 'packages:write', 'files:read', 'files:write', 'metrics:read'];
let levels = ['pwd', 'mfa'], ago = 0, slow = 0;
let user = 'alice', algorithm = process.env.ALGORITHM ?? 'RS256', lifetime = 3600, generation = 0, callback;
const counts = new Map(); // requests by path
const known = new Map(); // what outlives a rotation of keys: clients' grants and tokens

class Memory {
  constructor(kind) { this.kind = kind; }
  key(id) { return `${this.kind}:${id}`; }
  async upsert(id, payload) { known.set(this.key(id), { ...payload }); }
  async find(id) { return known.get(this.key(id)); }
  async findByUid(uid) { return [...known].find(([k, v]) => k.startsWith(this.kind) && v.uid === uid)?.[1]; }
  async findByUserCode() {}
  async consume(id) { known.get(this.key(id)).consumed = Math.floor(Date.now() / 1000); }
  async destroy(id) { known.delete(this.key(id)); }
  async revokeByGrantId(grant) { for (const [k, v] of known) if (v.grantId === grant) known.delete(k); }
}

// A level that is asked for and that the person has not reached is worth another sign-in.
function prompts() {
  const { base, Check } = interactionPolicy, policy = base();
  const unmet = ({ oidc }) => {
    const wanted = oidc.params.acr_values?.split(' ');
    return Boolean(wanted) && !oidc.result?.login && !wanted.includes(oidc.acr) ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
  };
  policy.get('login').checks.add(new Check('acr_values', 'another level is asked for', unmet));
  return policy;
}

async function start() {
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const key = { ...(await exportJWK(privateKey)), kid: `k${++generation}-${process.pid}`, alg: algorithm, use: 'sig' };
  const { privateKey: fallback } = await generateKeyPair('RS256', { extractable: true });
  const second = { ...(await exportJWK(fallback)), kid: `r${generation}-${process.pid}`, alg: 'RS256', use: 'sig' };
  const provider = new Provider(issuer, {
    adapter: Memory,
    jwks: { keys: algorithm === 'RS256' ? [key] : [key, second] },
    clients: (process.env.CLIENTS ? JSON.parse(process.env.CLIENTS) : []).map((client) => ({
      ...client, id_token_signed_response_alg: algorithm,
    })),
    enabledJWA: {
      idTokenSigningAlgValues: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
    },
    acrValues: ['pwd', 'mfa'],
    claims: { acr: null, auth_time: null, openid: ['sub', 'amr'], email: ['email', 'email_verified'], profile: ['preferred_username', 'name'], groups: ['groups'] },
    scopes: ['openid', 'offline_access', 'email', 'profile', 'groups', ...OF_APIS],
    conformIdTokenClaims: process.env.USERINFO_ONLY === '1',
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ['throw-away'] },
    // Its own dispatcher refuses loopback addresses, where the gateway is.
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
    pkce: { required: () => true },
    issueRefreshToken: async () => process.env.NO_REFRESH !== '1',
    ttl: { AccessToken: () => lifetime, IdToken: 3600, RefreshToken: 86400, Session: 86400, Grant: 86400, Interaction: 600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = `<!doctype html><title>Sign out</title>${form}<button autofocus type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>`;
        },
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => (process.env.OPAQUE === '1' ? undefined : 'https://api.corp.example'),
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: `${OF_APIS.join(' ')} openid email profile groups`, audience: 'https://api.corp.example',
          accessTokenFormat: 'jwt', accessTokenTTL: lifetime, jwt: { sign: { alg: algorithm } },
        }),
      },
    },
    interactions: { policy: prompts(), url: (_, interaction) => `/interaction/${interaction.uid}` },
  });
  const handle = provider.callback();
  callback = (request, response) =>
    request.url.startsWith('/interaction/') ? interact(provider, request, response) : handle(request, response);
}

async function interact(provider, request, response) {
  const { prompt, params } = await provider.interactionDetails(request, response);
  const accountId = params.login_hint?.split('@')[0] ?? user;
  const grant = new provider.Grant({ accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  grant.addResourceScope('https://api.corp.example', params.scope);
  const grantId = await grant.save();
  void prompt;
  const acr = params.acr_values?.split(' ').find((level) => levels.includes(level)) ?? levels[0];
  const amr = acr === 'mfa' ? ['pwd', 'otp'] : ['pwd'], ts = Math.floor(Date.now() / 1000) - ago;
  const result = { login: { accountId, acr, amr, ts }, consent: { grantId } };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

await start();
createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  counts.set(url.pathname, (counts.get(url.pathname) ?? 0) + 1);
  if (url.pathname === '/token' && slow) await new Promise((go) => setTimeout(go, slow * 1000));
  if (!url.pathname.startsWith('/control/')) return callback(request, response);
  if (url.pathname === '/control/as') user = url.searchParams.get('user');
  if (url.pathname === '/control/groups') people[url.searchParams.get('user')].groups = url.searchParams.get('of').split(',');
  if (url.pathname === '/control/lifetime') lifetime = Number(url.searchParams.get('s'));
  if (url.pathname === '/control/levels') levels = url.searchParams.get('of').split(',');
  if (url.pathname === '/control/slow') slow = Number(url.searchParams.get('s'));
  if (url.pathname === '/control/ago') ago = Number(url.searchParams.get('s'));
  if (url.pathname === '/control/revoke') for (const k of known.keys()) if (k.startsWith('RefreshToken:')) known.delete(k);
  if (url.pathname === '/control/count') return response.end(String(counts.get(url.searchParams.get('path')) ?? 0));
  if (url.pathname === '/control/rotate') { algorithm = url.searchParams.get('alg') ?? algorithm; await start(); }
  response.end('ok');
}).listen(port, '127.0.0.1', () => console.log('ready'));
