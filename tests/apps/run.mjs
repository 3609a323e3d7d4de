// Tries apps behind the gateway: `node run.mjs [NAME …]`, files of ./apps.
//
// A file of ./apps exports `title`, `host` (by which the gateway is asked for: the recipe's own where browsers alone come,
// localhost for programs that ask the system's resolver), `packages` (`{ debian: ['git'], npm: true, pip: true }`;
// lockfiles lie in ./packages/NAME), `version(box)` and `run(box)`. The box (./box/box.mjs) starts what is needed.
import { readdirSync } from 'node:fs';
import { Box } from './box/box.mjs';
import { install } from './box/install.mjs';
import { table } from './box/table.mjs';

const known = readdirSync(new URL('./apps/', import.meta.url)).map((file) => file.replace(/\.mjs$/, '')).sort();
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such app: ${unknown.join(', ')}; there are ${known.join(', ')}`);
  process.exit(2);
}

let running;
// What a box has started outlives this process unless it is ended: programs have process groups of their own.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, async () => {
    await running?.end();
    process.exit(1);
  });
}

/// One app from its installation to its end. What fails is a row of the table, and the next app has its turn.
async function tryOut(name) {
  console.log(`\n== ${name}`);
  const row = { name, version: '?', steps: [], failure: undefined };
  const app = await import(`./apps/${name}.mjs`);
  row.name = app.title;
  const box = await Box.open(name, app.host ?? 'localhost', row.steps);
  running = box;
  try {
    await install(name, app.packages);
    row.version = await app.version(box);
    await app.run(box);
  } catch (error) {
    row.failure = error;
    console.error(error.stack ?? error);
    await box.tellOfFailure();
  } finally {
    await box.end();
  }
  return row;
}

const rows = [];
for (const name of wanted.length > 0 ? wanted : known) rows.push(await tryOut(name));
console.log(`\n${table(rows)}`);
process.exit(rows.some((row) => row.failure) ? 1 : 0);
