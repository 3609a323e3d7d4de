// Bob looks at a month of the demo: the console has something to show on every page, and the portal has his apps.
import assert from 'node:assert/strict';
import { look } from './console.mjs';

// Browsers know this name by themselves; here they know none.
export const options = { hosts: ['console.localhost'] };

export default async function walk(walker) {
  const { page } = walker;
  const demo = walker.gateway;
  walker.gateway = `http://console.localhost:${new URL(demo).port}`;
  await walker.go('/');
  await walker.signInAs('bob');
  await walker.consent();
  await walker.heading('Overview');
  await look(walker, page, 'history-overview');
  for (const name of ['Events', 'People', 'Apps']) {
    await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click();
    await walker.heading(name);
    await look(walker, page, `history-${name.toLowerCase()}`);
  }
  await walker.go('/events?span=month&user=rosa&outcome=forbidden');
  await walker.heading('Events');
  assert.ok(await page.getByRole('row').filter({ hasText: '203.0.113.77' }).count() > 5, 'what was tried in her name');
  await look(walker, page, 'history-rosa');
  for (const [report, heading] of [['sign-ins', 'Sign-ins'], ['anomalies', 'What looks odd'], ['access-review', 'Access review']]) {
    await walker.go(`/reports/${report}`);
    await walker.heading(heading);
    await page.getByRole('link', { name: /^Events: / }).first().waitFor();
    await look(walker, page, `history-report-${report}`);
  }
  walker.gateway = demo;
  await walker.go('/.portcullis');
  await walker.heading('Your apps');
  for (const app of ['Wiki', 'Operations', 'Who am I']) await page.getByRole('link', { name: app }).first().waitFor();
  assert.equal(await page.getByRole('link', { name: 'Payroll' }).count(), 0, 'bob is not of the people who pay');
  await look(walker, page, 'history-portal');
}
