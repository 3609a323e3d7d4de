// The configuration that stands in a recipe, with the addresses of this machine: what people copy is what is tried.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { freePort } from './program.mjs';

/// Writes it to a file; that file, and the names of the secrets that it takes from the environment.
export async function configuration(box, page, block, addresses) {
  const text = readFileSync(`${box.root}docs/recipes/apps/${page}.md`, 'utf8');
  const blocks = [...text.matchAll(/^```toml\n(.*?)^```/gms)].map((match) => match[1]);
  assert.ok(blocks[block], `${page}.md has a configuration ${block}`);
  const replaced = await replacements(box, addresses);
  const written = replaced.reduce((so_far, replacement) => replace(so_far, page, replacement), blocks[block]);
  const file = `${box.directory}/portcullis.toml`;
  writeFileSync(file, written);
  return { file, secrets: [...written.matchAll(/env = "([^"]+)"/g)].map((match) => match[1]) };
}

/// From what, to what; `needed` where the page must have it.
async function replacements(box, addresses) {
  const state = `${box.directory}/state`;
  mkdirSync(state, { recursive: true });
  const own = Object.entries(addresses).map(([from, to]) => ({ from, to, needed: true }));
  return [
    ...own,
    { from: /listen = "0\.0\.0\.0:443"/, to: `listen = "127.0.0.1:${box.port}"`, needed: true },
    { from: /listen = "127\.0\.0\.1:9090"/, to: `listen = "127.0.0.1:${await freePort()}"` },
    { from: /public_url = "[^"]*"/, to: `public_url = "${box.url}"` },
    { from: /^host = "[^"]*"/gm, to: `host = "${box.host}"` },
    { from: 'https://id.corp.example', to: box.openIdProvider?.issuer ?? 'https://id.corp.example' },
    { from: '/etc/portcullis/tls.crt', to: box.certificate.cert, needed: true },
    { from: '/etc/portcullis/tls.key', to: box.certificate.key, needed: true },
    { from: '/var/lib/portcullis', to: state },
  ];
}

function replace(text, page, { from, to, needed }) {
  const written = text.replaceAll(typeof from === 'string' || from.global ? from : new RegExp(from, 'g'), () => to);
  assert.ok(!needed || written !== text, `${page}.md does not have ${from}`);
  return written;
}
