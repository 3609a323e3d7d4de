// Apache as an app: with a configuration of its own, as the user who tries it, and none of the machine's.
import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';

const BASE = ['mpm_event', 'authz_core', 'authn_core', 'alias', 'env', 'setenvif', 'mime'];

/// Starts one that listens on a free port of 127.0.0.1; its address. `modules` are Debian's names.
export async function apache(box, modules, configuration) {
  const port = await box.freePort();
  const root = `${box.directory}/apache`;
  mkdirSync(`${root}/htdocs`, { recursive: true });
  const loads = [...BASE, ...modules].map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`);
  const { uid } = userInfo();
  // Started by root it would give up its rights, and could not read the box.
  const user = uid === 0 ? ['User www-data', 'Group www-data'] : [];
  writeFileSync(`${root}/httpd.conf`, [
    `ServerRoot ${root}`, `PidFile ${root}/pid`, `Listen 127.0.0.1:${port}`, 'ServerName localhost', `ErrorLog ${root}/error.log`,
    `DocumentRoot ${root}/htdocs`, 'TypesConfig /etc/mime.types', ...loads, ...user, configuration, '',
  ].join('\n'));
  await box.start('apache2', ['-DFOREGROUND', '-f', `${root}/httpd.conf`], { ready: { port } });
  return `http://127.0.0.1:${port}`;
}
