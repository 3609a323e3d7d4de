// A browser that watches what it is shown, and takes pictures.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { lookOver } from './look.mjs';

const ARTEFACTS = fileURLToPath(new URL('../../artefacts/', import.meta.url));
const WINDOWS = { wide: { width: 1280, height: 800 }, narrow: { width: 360, height: 740 }, tiny: { width: 280, height: 600 } };
const LOOPBACK = /^(data:|about:|blob:|chrome-error:|https?:\/\/(127\.0\.0\.1|localhost)(:\d+)?\/)/;

export class Walker {
  /// `hosts` are names that stand for this machine; all others lead nowhere. `args` are for the browser.
  static async start(name, { hosts = [], args = [] } = {}) {
    mkdirSync(ARTEFACTS, { recursive: true });
    const names = [...hosts.map((host) => `MAP ${host} 127.0.0.1`), 'MAP * ~NOTFOUND', 'EXCLUDE 127.0.0.1', 'EXCLUDE localhost'];
    const browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // The back button does here what it does for people: it may bring a page back from memory.
      ignoreDefaultArgs: ['--disable-back-forward-cache'],
      args: ['--no-sandbox', '--disable-background-networking', `--host-resolver-rules=${names.join(', ')}`, ...args],
    });
    const walker = new Walker(name, browser, hosts);
    await walker.somebodyNew();
    return walker;
  }

  constructor(name, browser, hosts) {
    Object.assign(this, { name, browser, hosts, gateway: process.env.GATEWAY, faults: [], expected: new Set() });
  }

  /// A browser without cookies, and its first tab.
  async somebodyNew(options = {}) {
    this.context = await this.browser.newContext({ viewport: WINDOWS.wide, colorScheme: 'light', ...options });
    this.context.setDefaultTimeout(30_000);
    await this.context.exposeFunction('tellViolation', (text) => this.faults.push(`CSP: ${text}`));
    await this.context.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => {
      window.tellViolation(`${event.violatedDirective} forbids ${event.blockedURI} on ${event.documentURI}`);
    }));
    this.context.on('request', (request) => this.#isHere(request.url()) || this.faults.push(`left loopback: ${request.url()}`));
    this.context.on('weberror', (error) => this.faults.push(`script: ${error.error()}`));
    this.context.on('console', (message) => this.#heard(message));
    this.page = await this.context.newPage();
    return this.page;
  }

  /// From now on a page or a call may be answered with one of these, which Chromium reports in its console.
  expect(...statuses) {
    statuses.forEach((status) => this.expected.add(status));
  }

  #isHere(url) {
    return LOOPBACK.test(url) || this.hosts.includes(new URL(url).hostname);
  }

  #heard(message) {
    const status = /^Failed to load resource: the server responded with a status of (\d+)/.exec(message.text())?.[1];
    const wanted = status !== undefined && this.expected.has(Number(status));
    if (['error', 'warning'].includes(message.type()) && !wanted) this.faults.push(`console: ${message.text()}`);
  }

  complainOfFaults() {
    assert.deepEqual(this.faults, [], 'the browser complained');
  }

  url(path) {
    return this.gateway + path;
  }

  /// Goes there as a person does; the status of what is shown in the end.
  async go(path, page = this.page) {
    return (await page.goto(this.url(path))).status();
  }

  /// The back button. What comes back from memory is not loaded, and has no event for that.
  async back(page = this.page) {
    await page.goBack({ waitUntil: 'commit' });
    await page.waitForFunction(() => document.readyState === 'complete');
  }

  async heading(text, page = this.page) {
    await page.getByRole('heading', { level: 1, name: text }).waitFor();
  }

  async signInAs(name, page = this.page) {
    await this.heading('Sign in', page);
    await page.getByLabel('User name').fill(name);
    await page.getByLabel('Password').fill(process.env[name.toUpperCase()]);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }

  async consent(page = this.page) {
    await page.getByRole('button', { name: 'Allow' }).click();
  }

  /// Pictures of the page as it stands, in every window and both colour schemes, each looked over.
  async picture(of, page = this.page, windows = WINDOWS) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const [window, size] of Object.entries(windows)) {
        await page.setViewportSize(size);
        const faults = await page.evaluate(lookOver);
        assert.deepEqual(faults, [], `${of}, ${window} and ${colorScheme}`);
        if (window !== 'tiny') await page.screenshot({ path: `${ARTEFACTS}${of}-${window}-${colorScheme}.png`, fullPage: true });
      }
    }
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: null });
    await page.setViewportSize(WINDOWS.wide);
  }

  /// Where a picture of this name is kept.
  artefact(name) {
    return ARTEFACTS + name;
  }

  /// Where the documentation has a picture of this name.
  documentation(name) {
    return fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url));
  }

  /// What was on the screen when a walk failed.
  async keepLastLook() {
    for (const page of this.context.pages().slice(0, 3)) {
      console.error(`the walk ended at ${page.url()}\n${(await page.innerText('body').catch(() => '')).slice(0, 1500)}\n`);
      await page.screenshot({ path: `${ARTEFACTS}failed-${this.name}.png` }).catch(() => {});
    }
    this.faults.forEach((fault) => console.error(fault));
  }

  async end() {
    await this.browser.close();
  }
}
