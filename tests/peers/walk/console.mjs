// An operator of the console looks at every page, asks what would happen, and ends a sign-in.
import assert from 'node:assert/strict';
import { complainOfBarriers } from './axe.mjs';

const WINDOWS = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 } };
const VAST = { vast: { width: 2560, height: 1300 } };

export default async function walk(walker) {
  walker.expect(401, 403, 404);
  const app = process.env.APP;
  const page = await walker.somebodyNew();
  await walker.go('/');
  for (const name of ['Overview', 'Live', 'Events', 'People', 'Sessions', 'Apps', 'Reports', 'Explain', 'Configuration']) {
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click();
    await walker.heading(name);
    assert.equal(await page.locator('[aria-current="page"]').innerText(), name);
    for (const landmark of ['banner', 'main', 'navigation']) assert.ok(await page.getByRole(landmark).count() > 0, landmark);
    assert.deepEqual(await page.evaluate(structure), [], name);
    await look(walker, page, name.toLowerCase(), name === 'Overview' ? { ...WINDOWS, ...VAST } : WINDOWS);
    if (['Overview', 'Live', 'Events'].includes(name)) await keepForReaders(walker, page, name.toLowerCase());
  }
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.getByRole('navigation', { name: 'Console' }).isVisible(), false, 'paper has no links');
  await page.emulateMedia({ media: 'screen' });
  // By the keyboard alone: the first stop leads past the navigation.
  await walker.go('/');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');

  await walker.go('/explain');
  await page.getByLabel('Address', { exact: true }).fill(`${app}/admin/x`);
  await page.getByLabel('User', { exact: true }).fill('bob');
  await page.getByLabel('Groups, separated by commas').fill('staff');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('heading', { level: 2, name: 'forbidden' }).waitFor();
  await walker.picture('console-forbidden', page, WINDOWS);
  await page.getByLabel('Groups, separated by commas').fill('staff, writers');
  await page.getByRole('button', { name: 'Explain' }).click();
  await page.getByRole('heading', { level: 2, name: 'permitted' }).waitFor();
  await walker.picture('console-permitted', page, WINDOWS);

  await walker.go('/sessions');
  await page.getByRole('row').filter({ hasText: 'Safari on an iPhone' }).getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: 'Sign-in of' }).waitFor();
  await walker.picture('console-sign-in', page, WINDOWS);
  await page.getByLabel('Why, for the log').fill('lost telephone');
  await page.getByRole('button', { name: 'End this sign-in' }).click();
  await page.getByRole('status').getByText('1 sign-in has ended').waitFor();
  await walker.picture('console-ended', page, WINDOWS);

  await walker.go('/sessions?host=127.0.0.1');
  await page.getByRole('link', { name: 'End all that match' }).click();
  await page.getByRole('heading', { level: 1, name: 'sign-ins?' }).waitFor();
  await walker.picture('console-end', page, WINDOWS);
  await walker.go('/nothing');
  await walker.picture('console-missing', page, WINDOWS);
}

/// In every window, by day and by night; nothing scrolls sideways, and nothing is in anybody's way.
export async function look(walker, page, name, windows = WINDOWS) {
  await walker.picture(`console-${name}`, page, windows);
  await hasFaded(page);
  await complainOfBarriers(page, name);
}

/// A colour half-way between night and day is nobody's.
const hasFaded = (page) => page.evaluate(() => Promise.all(document.getAnimations().map((fading) => fading.finished.catch(() => {}))));

/// The pictures of the documentation, where they are to be made anew.
export async function keepForReaders(walker, page, name) {
  if (!process.env.UPDATE_DOCS) return;
  await page.setViewportSize({ width: 1280, height: 800 });
  await hasFaded(page);
  await page.screenshot({ path: walker.documentation(`console/${name}.png`) });
  await page.setViewportSize(WINDOWS.wide);
}

// Runs inside a page: what a screen reader would miss, in words.
function structure() {
  const faults = [];
  const levels = [...document.querySelectorAll('h1, h2, h3, h4')].map((heading) => Number(heading.localName[1]));
  levels.forEach((level, at) => at > 0 && level > levels[at - 1] + 1 && faults.push(`a heading of level ${level} stands below one of level ${levels[at - 1]}`));
  for (const table of document.querySelectorAll('table')) {
    if (!table.caption?.textContent.trim()) faults.push('a table has no caption');
    for (const cell of table.querySelectorAll('th')) if (!cell.scope) faults.push(`"${cell.textContent}" has no scope`);
  }
  const ids = [...document.querySelectorAll('[id]')].map((element) => element.id);
  if (new Set(ids).size !== ids.length) faults.push('an id stands there twice');
  for (const element of document.querySelectorAll('[aria-labelledby], [aria-describedby]')) {
    const ids = element.getAttribute('aria-labelledby') ?? element.getAttribute('aria-describedby');
    for (const id of ids.split(' ')) if (!document.getElementById(id)) faults.push(`nothing is called ${id}`);
  }
  for (const field of document.querySelectorAll('select')) if (!field.labels.length) faults.push(`${field.name} has no label`);
  return faults;
}
