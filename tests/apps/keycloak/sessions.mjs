// Sessions: what keeps them up to date, and what ends them.
import assert from 'node:assert/strict';
import { World } from './world.mjs';

export async function refreshes(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'refreshes', { more: { accessTokenLifespan: 5 } });
  const { page } = await world.browser();
  const first = await world.signIn(page, 'alice');
  const alice = await world.user('alice');
  await box.step('an access token of five seconds is refreshed without a page, and the app gets the new one', () =>
    world.seen(page, 'another token', (told) => told.authorization !== first.authorization));
  await box.step('a group that is taken away at Keycloak is gone with the next refresh', async () => {
    const [staff] = await world.admin('GET', `/users/${alice.id}/groups`);
    await world.admin('DELETE', `/users/${alice.id}/groups/${staff.id}`);
    await world.seen(page, 'nobody of staff', (told) => told['x-auth-request-groups'] === undefined);
  });
  await box.step('a user who is disabled is signed out at the next refresh, and the log says why', async () => {
    await world.admin('PUT', `/users/${alice.id}`, { ...alice, enabled: false });
    await world.sentToSignIn(page);
    await world.logged('tokens.not-refreshed', 'invalid_grant');
  });
  await box.step('so is a session that an admin signs out at Keycloak; then another person may sign in', async () => {
    await world.fillIn(page, 'bob');
    await world.told(page);
    await world.admin('POST', `/users/${(await world.user('bob')).id}/logout`);
    await world.sentToSignIn(page);
    await world.fillIn(page, 'carol');
    assert.equal((await world.told(page))['x-auth-request-user'], 'carol');
  });
  await world.end();
}

/// Keycloak refuses a sign-out whose `id_token_hint` is signed with a key that it has no more.
export async function signingOutAfterRotation(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'rotation');
  const [first, second] = [await world.browser(), await world.browser()];
  await world.signIn(first.page, 'alice');
  await box.step('a realm key that is replaced while the gateway runs: people go on signing in', async () => {
    const keys = await world.admin('GET', '/components?type=org.keycloak.keys.KeyProvider');
    const config = { priority: ['200'] };
    await world.admin('POST', '/components', { name: 'next', providerId: 'rsa-generated', providerType: 'org.keycloak.keys.KeyProvider', config });
    await world.admin('DELETE', `/components/${keys.find(({ providerId }) => providerId === 'rsa-generated').id}`);
    await world.signIn(second.page, 'bob');
  });
  await box.step('whoever signed in before signs out: Keycloak asks once, and leads back', async () => {
    const { page } = first;
    await world.signOut(page);
    await page.getByText('Do you want to log out?').waitFor();
    await page.locator('#kc-logout').click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await world.sentToSignIn(page);
  });
  await world.end();
}

/// Why the recipe does not ask for `offline_access`.
export async function offline(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'offline', {
    more: { accessTokenLifespan: 5 }, provider: 'scopes = ["openid", "profile", "email", "offline_access"]',
  });
  const { page } = await world.browser();
  await box.step('with offline_access a session outlives its sign-out by an admin at Keycloak, as the recipe warns', async () => {
    const first = await world.signIn(page, 'alice');
    await world.admin('POST', `/users/${(await world.user('alice')).id}/logout`);
    await world.seen(page, 'another token', (told) => told.authorization !== first.authorization);
  });
  await world.end();
}
