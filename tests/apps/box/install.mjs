// Installs an app's packages into target/apps/NAME, once for each lockfile in tests/apps/packages/NAME.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const LOCKS = fileURLToPath(new URL('../packages/', import.meta.url));
const TARGET = fileURLToPath(new URL('../../../target/apps/', import.meta.url));

/// `packages` names the kinds: `{ debian: ['git'], npm: true, pip: true }`.
export function install(name, { debian = [], npm = false, pip = false }) {
  debianPackages(debian);
  const [locks, target] = [`${LOCKS}${name}/`, `${TARGET}${name}/`];
  if (npm) once(`${locks}package-lock.json`, `${target}npm/`, (folder) => npmPackages(locks, folder));
  if (pip) once(`${locks}requirements.txt`, `${target}pip/`, (folder) => pipPackages(locks, folder));
}

function run(command, args, options = {}) {
  execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
}

function debianPackages(names) {
  const missing = names.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const root = process.getuid() === 0 ? [] : ['sudo'];
  const env = ['env', 'DEBIAN_FRONTEND=noninteractive'];
  const asRoot = (...words) => { const [command, ...args] = [...root, ...env, ...words]; run(command, args); };
  asRoot('apt-get', 'update', '-q');
  asRoot('apt-get', 'install', '-y', '-q', '--no-install-recommends', ...missing);
}

function isInstalled(name) {
  try {
    const status = execFileSync('dpkg-query', ['-W', '-f', '${Status}', name], { stdio: ['ignore', 'pipe', 'ignore'] });
    return status.toString() === 'install ok installed';
  } catch {
    return false;
  }
}

/// The copy of the lockfile is written last: a folder without it is not whole.
function once(lock, folder, act) {
  const done = `${folder}.lock`;
  if (existsSync(done) && readFileSync(done).equals(readFileSync(lock))) return;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  act(folder);
  writeFileSync(done, readFileSync(lock));
}

function npmPackages(locks, folder) {
  for (const file of ['package.json', 'package-lock.json']) copyFileSync(locks + file, folder + file);
  run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder });
}

function pipPackages(locks, folder) {
  run('python3', ['-m', 'venv', folder]);
  run(`${folder}bin/pip`, ['install', '--quiet', '--disable-pip-version-check', '--require-hashes', '-r', `${locks}requirements.txt`]);
}
