// A certificate for the gateway, for as long as a trial lasts.
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';

/// Files: `cert`, which clients that verify are told to trust, and `key`.
export function certificate(directory, host) {
  const [cert, key] = [`${directory}/tls.crt`, `${directory}/tls.key`];
  execFileSync('openssl', [
    'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=localhost', '-addext', `subjectAltName=DNS:${host},DNS:localhost,IP:127.0.0.1`, '-keyout', key, '-out', cert,
  ], { stdio: 'pipe' });
  chmodSync(key, 0o600);
  return { cert, key };
}
