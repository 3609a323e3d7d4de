// Event streams for measures, both ends of them.
//   node streams.mjs app PORT   an app: one event on `/events`, then silence; elsewhere the name of who asks
//   node streams.mjs hold       opens what the first line of its standard input says, as JSON:
//                               { "ports": [..], "authority": "..", "cookies": [..], "each": streams of a person on a port }
//                               and prints how many are open, and how many have closed, whenever that has changed
import { createServer } from 'node:http';
import { connect } from 'node:http2';
import { createInterface } from 'node:readline';

const OF_A_CONNECTION = 100;

function app(port) {
  createServer((request, response) => {
    if (!request.url.startsWith('/events')) return response.end(request.headers['x-auth-request-user']);
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: here\n\n');
  }).listen(port, '127.0.0.1', 4096);
}

async function hold({ ports, authority, cookies, each }) {
  let open = 0, closed = 0, told = '';
  setInterval(() => { const now = JSON.stringify({ open, closed }); if (now !== told) console.log(told = now); }, 50);
  for (const port of ports) {
    const wanted = cookies.flatMap((cookie) => Array(each).fill(cookie));
    for (let start = 0; start < wanted.length; start += OF_A_CONNECTION) {
      const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false, servername: 'localhost' });
      session.on('error', () => {});
      await Promise.all(wanted.slice(start, start + OF_A_CONNECTION).map((cookie) => new Promise((opened) => {
        const stream = session.request({ ':authority': authority, ':path': '/events', cookie });
        stream.once('data', () => { open++; opened(); });
        stream.on('response', (head) => { if (head[':status'] !== 200) { console.error(head); process.exit(1); } });
        stream.on('error', () => {});
        stream.on('close', () => { closed++; });
      })));
    }
  }
}

if (process.argv[2] === 'app') app(Number(process.argv[3]));
else createInterface({ input: process.stdin }).once('line', (line) => hold(JSON.parse(line)));
