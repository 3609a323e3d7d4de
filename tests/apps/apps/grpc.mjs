// gRPC: the library of the project itself, in Python, on both sides.
import assert from 'node:assert/strict';
import { command } from '../box/command.mjs';

export const title = 'gRPC';
export const packages = { pip: true };

export async function version(box) {
  const { stdout } = await command(box, `${box.packages}/pip/bin/python`, ['-c', 'import grpc; print(grpc.__version__)']);
  return `grpcio ${stdout.trim()}`;
}

export async function run(box) {
  const python = `${box.packages}/pip/bin/python`;
  const port = await box.freePort();
  await box.start(python, [`${import.meta.dirname}/../services/orders.py`, String(port)], { ready: { port }, log: 'service' });
  const provider = await box.provider();
  const [token, other] = [await provider.token('orders:read'), await provider.token('email')];
  // Else what has expired is good for another minute.
  const addresses = { '[providers.corp]': '[providers.corp]\nleeway = "1s"', '127.0.0.1:50051': `127.0.0.1:${port}`, 'https://orders.corp.example': 'https://api.corp.example' };
  await box.gateway('grpc', { addresses });
  const call = async (what, TOKEN) => {
    const { stdout } = await command(box, python, [`${import.meta.dirname}/../services/orders_client.py`, new URL(box.url).host, what], { env: { TOKEN, CA: box.certificate.cert } });
    return JSON.parse(stdout);
  };

  await box.step('a call, with metadata before and behind its answer', async () => {
    assert.deepEqual(await call('unary', token), { answer: 'order 1', before: 'first', behind: 'last' });
  });
  await box.step('a stream of the service, a stream both ways', async () => {
    assert.deepEqual(await call('server-stream', token), { answers: 1000, bytes: 1000 * 1024 });
    assert.deepEqual(await call('both', token), { answers: ['one!', 'two!', 'three!'] });
  });
  await box.step('a status with details in its trailers', async () => {
    assert.deepEqual(await call('fails', token), { code: 'FAILED_PRECONDITION', details: 'not päid', behind: 'last' });
  });
  await box.step('a deadline reaches the service, and a cancelled call ends there', async () => {
    assert.deepEqual(await call('deadline', token), { code: 'DEADLINE_EXCEEDED', seen: true });
    assert.deepEqual(await call('cancel', token), { code: 'CANCELLED', noticed: true });
  });
  await box.step('UNAUTHENTICATED without a good token, PERMISSION_DENIED where the rules say no', async () => {
    assert.equal((await call('unary', 'x.y.z')).code, 'UNAUTHENTICATED');
    assert.equal((await call('unary', other)).code, 'PERMISSION_DENIED');
  });
  await box.step('a stream ends as UNAUTHENTICATED when its token expires', async () => {
    await fetch(`${provider.issuer}/control/lifetime?s=3`, { method: 'POST' });
    const short = await provider.token('orders:read');
    assert.equal((await call('open', short)).code, 'UNAUTHENTICATED');
  });
}
