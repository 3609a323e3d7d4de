// Keycloak as the provider: all that docs/recipes/keycloak.md promises.
import * as clients from '../keycloak/clients.mjs';
import { outage } from '../keycloak/outage.mjs';
import * as people from '../keycloak/people.mjs';
import { Keycloak, VERSION } from '../keycloak/server.mjs';
import * as sessions from '../keycloak/sessions.mjs';
import * as tokens from '../keycloak/tokens.mjs';
import { app } from '../keycloak/world.mjs';

export const title = 'Keycloak';
export const packages = { debian: ['maven'] }; // which brings a Java runtime along
export const host = 'localhost';

export async function version() {
  return VERSION;
}

export async function run(box) {
  const trial = { box, keycloak: await Keycloak.start(box), app: await app() };
  for (const part of [tokens, sessions, people, clients].flatMap((module) => Object.values(module))) await part(trial);
  await outage(trial);
}
