// A program that runs to its end: a client of the app, as people use it.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const PATIENCE = 120_000; // milliseconds

/// What it printed (`{ code, stdout, stderr }`). With `fails` it must fail, else it must not. It knows nothing of this
/// machine's proxies and configuration: its home is the box.
export function command(box, name, args, { env = {}, cwd = box.directory, input = '', fails = false } = {}) {
  const clean = { PATH: process.env.PATH, HOME: box.directory, LANG: 'C.UTF-8', NO_PROXY: '*', no_proxy: '*', ...env };
  return new Promise((resolve, reject) => {
    const child = execFile(name, args, { env: clean, cwd, timeout: PATIENCE, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error ? error.code ?? error.signal : 0;
      if (Boolean(error) === fails) return resolve({ code, stdout, stderr });
      reject(new Error(`${name} ${args.join(' ')} ended with ${code}:\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`));
    });
    child.stdin.on('error', () => {}).end(input); // a program may end without reading it
  });
}

/// The commands of a page of the recipes, each with what it is for: those of its blocks `console`, `replaced` by what is
/// true here.
export function commandsOf(box, page, replaced) {
  const text = readFileSync(`${box.root}docs/recipes/apps/${page}.md`, 'utf8');
  const blocks = [...text.matchAll(/^```console\n(.*?)^```/gms)].map((match) => match[1].trimEnd());
  assert.ok(blocks.length > 0, `${page}.md has commands`);
  return blocks.map((block) => Object.entries(replaced).reduce((so_far, [from, to]) => so_far.replaceAll(from, () => to), block));
}

/// Runs lines as a shell does, and stops where one fails.
export function shell(box, lines, options) {
  return command(box, 'sh', ['-euc', lines], options);
}

/// Makes files those of the user that Debian's servers run as.
export function ofServer(folder) {
  if (process.getuid() === 0) execFileSync('chown', ['-R', 'www-data:www-data', folder]);
}
