// Adds a credential to the requests of a client that cannot keep one so long, and sends them on to the gateway.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { freePort } from './program.mjs';

/// Listens in clear text; its address, and how to end it. `Host` goes on as it came.
export async function adder(box, authorization) {
  const port = await freePort();
  const where = { host: '127.0.0.1', port: box.port, servername: box.host, ca: readFileSync(box.certificate.cert) };
  const server = createServer((asked, answer) => {
    const { method, url: path, headers } = asked;
    const onward = request({ ...where, method, path, headers: { ...headers, authorization } }, (told) => {
      answer.writeHead(told.statusCode, told.headers);
      told.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    asked.pipe(onward);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://${box.host}:${port}`, end: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}
