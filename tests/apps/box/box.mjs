// Everything that a trial of an app may use. What it starts, it ends.
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Walker } from '../../peers/walk/walker.mjs';
import { ask } from './ask.mjs';
import { certificate } from './certificate.mjs';
import { configuration } from './recipe.mjs';
import { Program, freePort } from './program.mjs';
import { Provider } from './provider.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

export class Box {
  /// `host` is the name by which the gateway is asked for: one that only the browser and `ask` can resolve, or localhost.
  static async open(name, host, steps) {
    const box = new Box(name, host, steps);
    rmSync(box.directory, { recursive: true, force: true });
    mkdirSync(box.directory, { recursive: true });
    box.certificate = certificate(box.directory, host);
    box.port = await freePort();
    box.url = `https://${host}:${box.port}`;
    return box;
  }

  /// `packages` is where the app's packages are installed; `directory` is empty at the start, and is kept.
  constructor(name, host, steps) {
    const packages = `${ROOT}target/apps/${name}`;
    const directory = `${ROOT}target/apps/runs/${name}`;
    Object.assign(this, { name, host, steps, root: ROOT, packages, directory, running: [], walkers: [] });
  }

  /// A row of the table: it is there with its failure, too.
  async step(text, act) {
    console.log(`   ${text}`);
    const step = { text, passed: false };
    this.steps.push(step);
    const result = await act();
    step.passed = true;
    return result;
  }

  freePort() {
    return freePort();
  }

  /// Starts a program and waits until it is ready: `ready` is `{ port }`, `{ output: RegExp }` or an async
  /// function that says so. `cwd` is the box's directory unless said otherwise, and `log` the name of its log.
  async start(command, args, { env = {}, cwd = this.directory, ready, log = command.split('/').at(-1) } = {}) {
    const program = new Program(command, args, { env, cwd, log: `${this.directory}/${log}.log` });
    this.running.unshift(program);
    await program.until(ready);
    return program;
  }

  /// The OpenID Provider of the tests, with the gateway as its client. Whoever signs in is alice until `as` says
  /// otherwise.
  async provider(options = {}) {
    this.openIdProvider = await Provider.start(this, options);
    return this.openIdProvider;
  }

  /// The gateway with a configuration of a recipe, on `url`. `addresses` maps what stands in the page to what is
  /// true here, such as the app's upstream; `block` picks one of several configurations of the page.
  async gateway(page, { addresses = {}, block = 0 } = {}) {
    const { file, secrets } = await configuration(this, page, block, addresses);
    const env = Object.fromEntries(secrets.map((name) => [name, this.openIdProvider?.secret ?? 'throw-away']));
    return this.start(process.env.PORTCULLIS ?? `${ROOT}target/release/portcullis`, ['run', '--config', file], { env, ready: { port: this.port }, log: 'gateway' });
  }

  /// Chromium, which trusts the gateway's certificate and leaves loopback never.
  async browser() {
    const walker = await Walker.start(this.name, { hosts: [this.host] });
    walker.gateway = this.url;
    await walker.context.close();
    await walker.somebodyNew({ ignoreHTTPSErrors: true });
    this.walkers.push(walker);
    return walker;
  }

  /// A request of a program to the gateway: `{ status, headers, body }`. Redirects are not followed.
  ask(path, options = {}) {
    return ask(this, path, options);
  }

  async tellOfFailure() {
    for (const walker of this.walkers) await walker.keepLastLook();
    for (const program of this.running) console.error(`-- the end of ${program.log}\n${program.tail()}`);
  }

  async end() {
    for (const walker of this.walkers) await walker.end();
    for (const program of this.running) await program.end();
  }
}
