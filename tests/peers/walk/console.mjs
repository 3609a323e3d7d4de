// An operator of the console looks at every page, asks what would happen, and ends a sign-in.
import assert from 'node:assert/strict';
import { complainOfBarriers } from './axe.mjs';

const WINDOWS = { wide: { width: 1440, height: 900 }, narrow: { width: 390, height: 844 }, vast: { width: 2560, height: 1300 } };

export default async function walk(walker) {
  walker.expect(401, 403, 404);
  const app = process.env.APP;
  const page = await walker.somebodyNew();
  await walker.go('/');
  for (const name of ['Overview', 'Live', 'Events', 'People', 'Sessions', 'Apps', 'Explain', 'Configuration']) {
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click();
    await walker.heading(name);
    assert.equal(await page.locator('[aria-current="page"]').innerText(), name);
    for (const landmark of ['banner', 'main', 'navigation']) assert.ok(await page.getByRole(landmark).count() > 0, landmark);
    assert.deepEqual(await page.evaluate(structure), [], name);
    await look(walker, page, name.toLowerCase());
    await keepForReaders(walker, page, name.toLowerCase());
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
  await people(walker, page, app);
  await acts(walker, page);
  await live(walker, page, app);
  await withoutScripts(walker);
}

/// In every window, by day and by night; nothing scrolls sideways, and nothing is in anybody's way.
async function look(walker, page, name) {
  await walker.picture(`console-${name}`, page, WINDOWS);
  await complainOfBarriers(page, name);
}

/// The pictures of the documentation, where they are to be made anew.
async function keepForReaders(walker, page, name) {
  if (!process.env.UPDATE_DOCS) return;
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.screenshot({ path: walker.documentation(`console/${name}.png`) });
  await page.setViewportSize(WINDOWS.wide);
}

/// From a person to what they did, to one request, to the rules that decided it; and to who else uses that app.
async function people(walker, page, app) {
  await walker.go('/people');
  await page.getByLabel('Name or subject').fill('bob');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('link', { name: 'bob@corp.example' }).click();
  await walker.heading('bob@corp.example');
  await look(walker, page, 'person');
  await keepForReaders(walker, page, 'person');
  await page.getByRole('link', { name: 'All events' }).click();
  await walker.heading('Events');
  await page.locator('tr.event', { hasText: 'refused' }).first().locator('.more a').click();
  await page.getByRole('heading', { level: 1, name: /^Request/ }).waitFor();
  await page.getByText('All fields').first().click();
  await look(walker, page, 'request');
  await keepForReaders(walker, page, 'request');
  await page.getByRole('link', { name: 'Explain it by the rules in force' }).click();
  await walker.heading('Explain');
  await walker.go('/apps');
  await page.getByRole('link', { name: 'Who uses it' }).nth(1).click();
  await page.getByRole('heading', { level: 1, name: /^Who uses/ }).waitFor();
  await look(walker, page, 'users');
}

/// An act says what it would do, and can be left.
async function acts(walker, page) {
  for (const act of ['reload', 'rotate', 'drain']) {
    await walker.go(`/act/${act}`);
    await page.getByText('The record names you').waitFor();
    await look(walker, page, act);
    await page.getByRole('link', { name: 'Cancel' }).click();
  }
}

/// What happens comes by itself, and waits while somebody reads; keys lead everywhere.
async function live(walker, page, app) {
  await walker.go('/events/live?type=access.*');
  await page.getByText('live', { exact: true }).waitFor();
  const rows = page.locator('[data-events] tr');
  await page.mouse.move(1, 1);
  const other = await walker.context.newPage();
  await other.goto(`${app}/old`).catch(() => {});
  await rows.filter({ hasText: '/old' }).first().waitFor();
  await page.bringToFront();
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByText('paused').waitFor();
  await page.getByRole('button', { name: 'Go on' }).click();
  await page.getByText('live', { exact: true }).waitFor();
  await other.close();

  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).fill('apps');
  await walker.picture('console-palette', page, { wide: WINDOWS.wide });
  await page.keyboard.press('Enter');
  await walker.heading('Apps');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await walker.go('/');
  await page.getByRole('group', { name: /Requests by minute: points/ }).focus();
  await page.keyboard.press('End');
  assert.match(await page.locator('#requests [data-readout]').innerText(), /^\d\d:\d\d: [\d,]+ request/);
}

/// The same pages without a script: the same words, and nothing that does not work.
async function withoutScripts(walker) {
  const page = await walker.somebodyNew({ javaScriptEnabled: false });
  for (const [path, heading] of [['/', 'Overview'], ['/events/live', 'Live'], ['/sessions', 'Sessions']]) {
    await walker.go(path);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }
  await walker.go('/events/live');
  await page.getByRole('link', { name: 'Refresh' }).click();
  await page.getByRole('heading', { level: 1, name: 'Live' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
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
    const id = element.getAttribute('aria-labelledby') ?? element.getAttribute('aria-describedby');
    if (!document.getElementById(id)) faults.push(`nothing is called ${id}`);
  }
  for (const field of document.querySelectorAll('select')) if (!field.labels.length) faults.push(`${field.name} has no label`);
  return faults;
}
