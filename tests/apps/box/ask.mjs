// A program that asks the gateway over TLS, and trusts the certificate of the trial alone.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';

/// `{ status, headers, body }` of one request; redirects are not followed.
export function ask(box, path, { method = 'GET', headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const where = { host: '127.0.0.1', port: box.port, servername: box.host, ca: readFileSync(box.certificate.cert), agent: false };
    const asked = request({ ...where, path, method, headers: { host: `${box.host}:${box.port}`, ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject);
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString() }));
    });
    asked.setTimeout(30_000, () => asked.destroy(new Error(`no answer to ${method} ${path}`)));
    asked.on('error', reject).end(body);
  });
}
