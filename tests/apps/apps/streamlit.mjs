// Streamlit: a script answers over one WebSocket, knows who asks, and takes a file.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { signOut, sockets } from '../box/people.mjs';

export const title = 'Streamlit';
export const packages = { pip: true };
export const host = 'dash.corp.example';

const STREAM = /\/_stcore\/stream$/;

export function version(box) {
  return execFileSync(`${box.packages}/pip/bin/streamlit`, ['version']).toString().trim().split(' ').at(-1);
}

/// The script of the recipe, and some lines that ask for a number and a file; its upstream.
async function serve(box, base = '') {
  const [project, port] = [`${box.directory}/app${base}`, await box.freePort()];
  const page = readFileSync(`${box.root}docs/recipes/apps/streamlit.md`, 'utf8');
  const block = (kind) => new RegExp(`^\`\`\`${kind}\n(.*?)^\`\`\``, 'ms').exec(page)[1];
  mkdirSync(`${project}/.streamlit`, { recursive: true });
  const settings = block('toml fragment').replace('port = 8501', `port = ${port}\nbaseUrlPath = "${base}"`);
  writeFileSync(`${project}/.streamlit/config.toml`, `${settings}\n[browser]\ngatherUsageStats = false\n`);
  writeFileSync(`${project}/app.py`, `${block('python')}
st.write("mail " + st.user["email"])
if st.button("Count"):
    st.session_state.count = st.session_state.get("count", 0) + 1
    st.write(f"counted {st.session_state.count}")
if file := st.file_uploader("File"):
    st.write(f"a file of {len(file.getvalue())} bytes")
`);
  await box.start(`${box.packages}/pip/bin/streamlit`, ['run', 'app.py'], { cwd: project, ready: { port } });
  return `http://127.0.0.1:${port}`;
}

async function count(page, number) {
  await page.getByRole('button', { name: 'Count' }).click();
  await page.getByText(`counted ${number}`).waitFor();
}

export async function run(box) {
  const provider = await box.provider();
  const addresses = { 'http://127.0.0.1:8501': await serve(box) };
  const gateway = await box.gateway('streamlit', { addresses });
  const walker = await box.browser();
  const opened = sockets(walker.page);
  await box.step('sign in: st.user has name, e-mail address and groups', async () => {
    await walker.go('/');
    await walker.heading('Hello, alice');
    await walker.page.getByText('mail alice@corp.example').waitFor();
    assert.equal(await walker.page.getByRole('button', { name: 'Restart' }).count(), 0);
  });
  await box.step('a click runs the script over the WebSocket', async () => {
    await opened.open(STREAM);
    await count(walker.page, 1);
    await count(walker.page, 2);
  });
  await box.step('a file of 20 MB is uploaded, past the app\'s XSRF check', async () => {
    const file = `${box.directory}/file.bin`;
    writeFileSync(file, Buffer.alloc(20_000_000, 7));
    await walker.page.locator('input[type=file]').setInputFiles(file);
    await walker.page.getByText('a file of 20000000 bytes').waitFor();
  });
  await box.step('signing out ends the WebSocket', async () => {
    await signOut(walker);
    await opened.closed(STREAM);
  });
  await box.step('somebody else has other groups, and a name beyond ASCII arrives whole', async () => {
    await provider.as('bob');
    const bob = await box.browser();
    await bob.go('/');
    await bob.page.getByRole('button', { name: 'Restart' }).waitFor();
    await provider.as('zoe');
    const zoe = await box.browser();
    await zoe.go('/');
    await zoe.heading('Hello, Zoë 100%');
  });
  await box.step('a name made up by a client is not believed', async () => {
    await provider.as('alice');
    const forger = await box.browser();
    await forger.context.setExtraHTTPHeaders({ 'x-auth-request-user': 'mallory', 'X_Auth_Request_Groups': 'ops' });
    await forger.page.goto(forger.url('/'));
    await forger.heading('Hello, alice');
    assert.equal(await forger.page.getByRole('button', { name: 'Restart' }).count(), 0);
  });
  await gateway.end();
  await below(box);
}

async function below(box) {
  const addresses = { 'http://127.0.0.1:8501': await serve(box, 'dash') };
  await box.gateway('streamlit', { block: 1, addresses });
  await box.step('below a path of its own: page and WebSocket', async () => {
    const walker = await box.browser();
    await walker.go('/dash');
    await walker.heading('Hello, alice');
    await count(walker.page, 1);
  });
}
