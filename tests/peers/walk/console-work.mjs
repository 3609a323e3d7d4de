// An operator goes after what somebody did, looks at what acts would do, watches what happens, and does without scripts.
import assert from 'node:assert/strict';
import { keepForReaders, look } from './console.mjs';

export default async function walk(walker) {
  walker.expect(400, 401, 403, 404);
  const app = process.env.APP;
  const page = await walker.somebodyNew();
  await walker.go('/');
  await walker.heading('Overview');
  await people(walker, page);
  await reports(walker, page);
  await acts(walker, page);
  await live(walker, page, app);
  await withoutScripts(walker);
}

/// From a person to what they did, to one request, to the rules that decided it; and to who else uses that app.
async function people(walker, page) {
  await walker.go('/people');
  await page.getByLabel('Name or subject').fill('bob');
  await page.getByRole('button', { name: 'Show' }).click();
  await page.getByRole('link', { name: 'bob@corp.example' }).click();
  await walker.heading('bob@corp.example');
  await look(walker, page, 'person');
  await keepForReaders(walker, page, 'person');
  await page.getByRole('link', { name: 'All events' }).click();
  await walker.heading('Events');
  await page.locator('tr.event', { hasText: 'refused' }).first().locator('.story a').click();
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

/// Each report is a page that is whole; from a row to the events that it is made of, and to a mark.
async function reports(walker, page) {
  for (const report of ['sign-ins', 'access', 'refusals', 'apps', 'people', 'sessions', 'providers', 'dormant', 'access-review', 'changes', 'anomalies']) {
    await walker.go(`/reports/${report}`);
    await page.getByRole('heading', { level: 2, name: /row/ }).waitFor();
    await look(walker, page, `report-${report}`);
  }
  await walker.go('/reports');
  await page.getByRole('link', { name: 'Refusals' }).click();
  await walker.heading('Refusals');
  await keepForReaders(walker, page, 'report');
  await page.getByRole('link', { name: /^Events: / }).first().click();
  await walker.heading('Events');
  await page.locator('tr.event', { hasText: 'refused' }).first().waitFor();
  await walker.go('/reports/people');
  await page.getByLabel('From').fill('2026-02-30');
  await page.getByRole('button', { name: 'Show' }).click();
  await walker.heading('That cannot be asked');
  await walker.go('/reports/access-review?route=wiki+administration');
  await page.getByRole('link', { name: /^Review: alice/ }).first().click();
  await page.getByRole('heading', { level: 1, name: /^Shall alice/ }).waitFor();
  await look(walker, page, 'review');
  await keepForReaders(walker, page, 'review');
  await page.getByLabel('Revoke').check();
  await page.getByLabel('Why').fill('left the team');
  await page.getByRole('button', { name: 'Record the mark' }).click();
  await walker.heading('Marked: revoke');
  await look(walker, page, 'reviewed');
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
  await walker.picture('console-palette', page, { wide: { width: 1440, height: 900 } });
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
  for (const [path, heading] of [['/', 'Overview'], ['/events/live', 'Live'], ['/sessions', 'Sessions'], ['/reports/apps', 'Apps'], ['/reports/access-review', 'Access review']]) {
    await walker.go(path);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  }
  await walker.go('/events/live');
  await page.getByRole('link', { name: 'Refresh' }).click();
  await page.getByRole('heading', { level: 1, name: 'Live' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Pause' }).count(), 0);
}
