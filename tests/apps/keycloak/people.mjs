// People: how they sign in, what the app is told of them, whom the rules let in, how they leave.
import assert from 'node:assert/strict';
import { groups } from './realm.mjs';
import { World, route } from './world.mjs';

const SOMEONE_ELSE = { name: 'Sign in as someone else' };

/// With the configuration of the recipe, to the letter.
export async function recipe(trial) {
  const { box } = trial;
  const world = await World.open(trial, 'corp', { client: { consentRequired: true }, recipe: true });
  const { page } = await world.browser();
  await box.step('recipe as it stands: password, consent screen, back at the address with its query', async () => {
    await world.begin(page, 'alice', '/page?a=%26');
    await page.getByText('Grant Access to portcullis').waitFor();
    await page.locator('#kc-login').click();
    const told = await world.told(page, '/page?a=%26');
    const names = ['user', 'email', 'groups'].map((name) => told[`x-auth-request-${name}`]);
    assert.deepEqual(names, ['alice', 'alice@corp.example', 'staff']);
  });
  await box.step('signing out ends the session at Keycloak, too, and comes back to the signed-out page', async () => {
    await world.signOut(page);
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
    await world.sentToSignIn(page);
  });
  await box.step('who says no at the consent screen reads so, and another person may sign in', async () => {
    await world.fillIn(page, 'carol');
    await page.locator('#kc-cancel').click();
    await page.getByText('You said no at the identity provider').waitFor();
    await page.getByRole('link', SOMEONE_ELSE).click();
    await world.fillIn(page, 'alice');
    assert.equal((await world.told(page))['x-auth-request-user'], 'alice');
  });
  await world.end();
}

export async function rules(trial) {
  const { box } = trial;
  const routes = route('allow = [{ groups = ["staff"] }]\ndeny = [{ groups = ["ops"] }]');
  const world = await World.open(trial, 'rules', { routes });
  const { page } = await world.browser();
  await box.step('allow and deny by group; "sign in as someone else" lets another person in', async () => {
    for (const name of ['carol', 'bob']) {
      await world.begin(page, name);
      await page.getByRole('button', SOMEONE_ELSE).click();
      assert.ok(await page.locator('#username').isEditable(), 'a form without the name of the one before');
    }
    assert.equal((await world.signIn(page, 'alice'))['x-auth-request-user'], 'alice');
  });
  await box.step('where Keycloak still knows somebody, its form has their name, and a button beside it for another', async () => {
    await page.context().clearCookies({ domain: 'localhost' });
    await page.goto(`${world.url}/.portcullis/sign-in?anew=1`);
    await page.getByText('Please re-authenticate to continue').waitFor();
    await page.locator('#reset-login').click();
    await world.fillIn(page, 'carol');
    await page.getByRole('button', SOMEONE_ELSE).waitFor();
    await page.getByText('carol@corp.example').waitFor();
  });
  await world.end();
}

export async function groupsAndRoles(trial) {
  const { box } = trial;
  const paths = await World.open(trial, 'paths', {
    client: { mappers: [groups({ full: true })] }, routes: route('allow = [{ groups = ["/staff/ops"] }]'),
  });
  await box.step('with "Full group path" groups are paths, for rules as well', async () => {
    const told = await paths.signIn((await paths.browser()).page, 'bob');
    assert.deepEqual(told['x-auth-request-groups'].split(',').sort(), ['/staff', '/staff/ops']);
  });
  await paths.end();
  const world = await World.open(trial, 'roles', {
    client: { mappers: [] }, provider: 'claims = { groups = "realm_access.roles" }', routes: route('allow = [{ groups = ["admin"] }]'),
  });
  await box.step('realm roles are groups, once their mapper adds them to the ID token', async () => {
    const { page } = await world.browser();
    await world.begin(page, 'bob');
    await page.getByText('one of the groups: admin').waitFor();
    const scope = (await world.admin('GET', '/client-scopes')).find(({ name }) => name === 'roles');
    const mapper = scope.protocolMappers.find(({ name }) => name === 'realm roles');
    mapper.config['id.token.claim'] = 'true';
    await world.admin('PUT', `/client-scopes/${scope.id}/protocol-mappers/models/${mapper.id}`, mapper);
    await page.getByRole('button', SOMEONE_ELSE).click();
    await world.fillIn(page, 'bob');
    assert.ok((await world.told(page))['x-auth-request-groups'].split(',').includes('admin'));
  });
  await world.end();
}
