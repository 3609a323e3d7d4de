// A program that runs beside the tests: its log in a file, its start waited for, ended by its own id.
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE = 120_000; // milliseconds that a program may take to start on a busy machine
const MERCY = 10_000; // milliseconds between SIGTERM and SIGKILL

// Below those that the system gives to outgoing connections, of which one could else take a port first.
let next = 10_000 + (process.pid % 400) * 50;

/// A port of 127.0.0.1 that nobody listens on, given out once.
export async function freePort() {
  const port = next++;
  const free = await new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
  return free ? port : freePort();
}

/// Asks again and again until `ready` says yes.
export async function until(what, ready, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ready();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(50);
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' });
    const tell = (answer) => () => { socket.destroy(); resolve(answer); };
    socket.once('connect', tell(true)).once('error', tell(false));
  });
}

export class Program {
  constructor(command, args, { env, cwd, log }) {
    const file = openSync(log, 'a');
    this.log = log;
    this.begins = fstatSync(file).size; // another program may have written there before
    // A group of its own: what the program starts ends with it.
    this.child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', file, file], detached: true });
    closeSync(file);
    this.ended = new Promise((resolve) => {
      this.child.once('exit', (code, signal) => resolve(this.exit = code ?? signal));
      this.child.once('error', (error) => resolve(this.exit = error.message));
    });
  }

  /// All it has written so far.
  output() {
    return readFileSync(this.log).subarray(this.begins).toString();
  }

  tail() {
    return this.output().split('\n').slice(-30).map((line) => line.slice(0, 300)).join('\n');
  }

  async until(ready) {
    if (ready === undefined) return;
    const asked = ready.port ? () => listens(ready.port) : ready.output ? () => ready.output.test(this.output()) : ready;
    await until(`${this.child.spawnfile} to be ready`, async () => {
      if (this.exit !== undefined) throw new Error(`${this.child.spawnfile} ended with ${this.exit}:\n${this.tail()}`);
      return asked();
    });
  }

  #signal(name) {
    try { process.kill(-this.child.pid, name); } catch { /* it is gone */ }
  }

  async end() {
    if (this.child.pid === undefined) return;
    this.#signal('SIGTERM');
    await Promise.race([this.ended, pause(MERCY, undefined, { ref: false })]);
    this.#signal('SIGKILL');
    await this.ended;
  }
}
