// A realm as docs/recipes/keycloak.md has operators set it up, with secrets that last as long as a trial.
import { randomBytes } from 'node:crypto';

export const SECRET = randomBytes(24).toString('hex');
export const PASSWORD = randomBytes(8).toString('hex');
export const API = 'https://api.corp.example';

const PEOPLE = { alice: ['/staff'], bob: ['/staff', '/staff/ops'], carol: ['/guests'] };

const person = (realm) => ([username, groups]) => ({
  username, groups, enabled: true, email: `${username}@corp.example`, emailVerified: true,
  firstName: username, lastName: 'Example', realmRoles: [`default-roles-${realm}`, ...(username === 'bob' ? ['admin'] : [])],
  credentials: [{ type: 'password', value: PASSWORD }],
});

/// The mapper *Group Membership* of a client's dedicated scope.
export const groups = ({ full = false } = {}) => ({
  name: 'groups', protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper',
  config: {
    'claim.name': 'groups', 'full.path': String(full), 'id.token.claim': 'true', 'access.token.claim': 'true',
    'userinfo.token.claim': 'true',
  },
});

/// The mapper *Audience*; `lightweight`: its switch *Add to lightweight access token*.
export const audience = ({ lightweight = false, idToken = false, client } = {}) => ({
  name: 'audience', protocol: 'openid-connect', protocolMapper: 'oidc-audience-mapper',
  config: {
    ...(client ? { 'included.client.audience': client } : { 'included.custom.audience': API }),
    'access.token.claim': 'true', 'id.token.claim': String(idToken), 'lightweight.claim': String(lightweight),
  },
});

/// What the gateway is registered as. `attributes` are those of the console's further tabs.
export const gateway = (url, { attributes = {}, mappers = [groups()], ...more } = {}) => ({
  clientId: 'portcullis', secret: SECRET, enabled: true, publicClient: false, standardFlowEnabled: true,
  directAccessGrantsEnabled: false, implicitFlowEnabled: false, redirectUris: [`${url}/.portcullis/callback`],
  attributes: { 'post.logout.redirect.uris': `${url}/.portcullis/signed-out`, ...attributes },
  protocolMappers: mappers, ...more,
});

/// A program that gets tokens of its own (*Service account roles*).
export const program = (mappers, attributes = {}) => ({
  clientId: 'program', secret: SECRET, enabled: true, publicClient: false, serviceAccountsEnabled: true,
  standardFlowEnabled: false, protocolMappers: mappers, attributes,
});

export const realm = (name, clients, more = {}) => ({
  realm: name, enabled: true, sslRequired: 'none', clients,
  groups: [{ name: 'staff', subGroups: [{ name: 'ops' }] }, { name: 'guests' }],
  roles: { realm: [{ name: 'admin' }] },
  users: Object.entries(PEOPLE).map(person(name)), ...more,
});
