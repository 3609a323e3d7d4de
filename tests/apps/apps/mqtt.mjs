// Mosquitto over WebSocket, with MQTT.js in a program and in a page.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { command } from '../box/command.mjs';
import { signOut } from '../box/people.mjs';
import { until } from '../box/program.mjs';

export const title = 'MQTT over WebSocket';
export const packages = { debian: ['mosquitto'], npm: true };
export const host = 'mqtt.corp.example';

export async function version(box) {
  const { stdout } = await command(box, 'mosquitto', ['-h'], { fails: true });
  const client = JSON.parse(readFileSync(`${box.packages}/npm/node_modules/mqtt/package.json`, 'utf8')).version;
  return `Mosquitto ${stdout.match(/version (\S+)/)[1]}, MQTT.js ${client}`;
}

/// The broker of the page, which also gives out a page and the library that it uses.
async function broker(box) {
  const port = await box.freePort();
  const site = `${box.directory}/site`;
  mkdirSync(site);
  writeFileSync(`${site}/index.html`, '<!doctype html><title>MQTT</title><h1>Messages</h1><script src="mqtt.js"></script>');
  writeFileSync(`${site}/mqtt.js`, readFileSync(`${box.packages}/npm/node_modules/mqtt/dist/mqtt.min.js`));
  const page = readFileSync(`${box.root}docs/recipes/apps/mqtt.md`, 'utf8').match(/^```ini\n(.*?)^```/ms)[1];
  writeFileSync(`${box.directory}/mosquitto.conf`, `${page.replace('9001', port).replace('1883', await box.freePort())}http_dir ${site}\nuser root\n`);
  await box.start('mosquitto', ['-c', `${box.directory}/mosquitto.conf`], { ready: { port } });
  return `http://127.0.0.1:${port}`;
}

export async function run(box) {
  const upstream = await broker(box);
  const provider = await box.provider();
  const token = await provider.token();
  const addresses = { 'http://127.0.0.1:9001': upstream, 'audiences = ["https://mqtt.corp.example"]': 'audiences = ["https://api.corp.example"]' };
  await box.gateway('mqtt', { addresses });
  const { default: mqtt } = await import(`${box.packages}/npm/node_modules/mqtt/build/index.js`);
  const connect = (headers) => mqtt.connect(`wss://127.0.0.1:${box.port}/`, {
    reconnectPeriod: 0, connectTimeout: 20_000,
    wsOptions: { headers: { Host: `${host}:${box.port}`, ...headers }, ca: readFileSync(box.certificate.cert), servername: host },
  });
  const outcome = (client) => new Promise((resolve) => {
    client.once('connect', () => resolve('connected')).once('error', (error) => resolve(error.message)).once('close', () => resolve('closed'));
  });
  const walker = await box.browser();
  const device = connect({ Authorization: `Bearer ${token}` });
  const heard = [];

  await box.step('a device connects with its token, and hears what it says', async () => {
    assert.equal(await outcome(device), 'connected');
    device.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    await device.subscribeAsync('room/#');
    await device.publishAsync('room/1', 'x'.repeat(1 << 17), { qos: 1 });
    await until('the message', () => heard.length === 1 && heard[0].length === (1 << 17) + 7);
  });
  await box.step('without a good token nobody connects', async () => {
    const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-protocol': 'mqtt' };
    for (const credential of [{}, { authorization: 'Bearer x.y.z' }]) {
      assert.equal((await box.ask('/', { headers: { ...handshake, ...credential } })).status, 401);
      assert.match(await outcome(connect(credential)), /^closed$|401/);
    }
  });
  await box.step('a page connects with its session, and hears the device', async () => {
    await walker.go('/index.html');
    await walker.heading('Messages');
    await walker.page.evaluate(() => new Promise((resolve, reject) => {
      window.heard = [];
      window.client = window.mqtt.connect(location.origin.replace('http', 'ws'), { reconnectPeriod: 0 });
      window.client.on('message', (topic, payload) => window.heard.push(`${topic} ${payload}`)).once('error', reject).on('close', () => { window.ended = true; });
      window.client.once('connect', () => window.client.subscribe('room/#', (error) => (error ? reject(error) : resolve())));
    }));
    await device.publishAsync('room/2', 'hello', { qos: 1 });
    await walker.page.waitForFunction(() => window.heard.includes('room/2 hello'));
    await walker.page.evaluate(() => window.client.publish('room/3', 'from the page'));
    await until('the word of the page', () => heard.includes('room/3 from the page'));
  });
  await box.step('signing out ends the connection of the page, and not the device\'s', async () => {
    await signOut(walker);
    await walker.page.waitForFunction(() => window.ended);
    await device.publishAsync('room/4', 'still here', { qos: 1 });
  });
  await device.endAsync(true);
}
