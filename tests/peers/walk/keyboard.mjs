// Without a mouse: where one is can always be seen.
import assert from 'node:assert/strict';

export default async function walk(walker) {
  const { page } = walker;
  walker.expect(403);
  await walker.go('/ops');
  await walker.heading('Sign in');
  await isSeen(page, 'User name');
  await page.keyboard.type('alice');
  await page.keyboard.press('Tab');
  await isSeen(page, 'Password');
  await page.keyboard.type(process.env.ALICE);
  await page.keyboard.press('Enter');

  await walker.heading('Allow');
  await press(page, 'Allow');
  await walker.heading('You don’t have access');
  await press(page, 'Sign in as someone else');

  await walker.heading('Sign in');
  await page.keyboard.type('bob');
  await page.keyboard.press('Tab');
  await page.keyboard.type(process.env.BOB);
  await press(page, 'Sign in');
  await walker.heading('Allow');
  await press(page, 'Allow');
  await walker.heading('The engine room');
  await press(page, 'Home');
  await walker.heading('Hello, bob');
  await press(page, 'Sign out');
  await walker.heading('You are signed out');
  await press(page, 'Sign in again');
  await walker.heading('Sign in');
}

/// Goes to a link or button step by step and presses it.
async function press(page, name) {
  for (let steps = 0; steps < 30; steps += 1) {
    if ((await focused(page)).name === name) return isSeen(page, name).then(() => page.keyboard.press('Enter'));
    await page.keyboard.press('Tab');
  }
  assert.fail(`the keyboard does not reach "${name}" on ${page.url()}`);
}

async function isSeen(page, name) {
  const { name: at, outline } = await focused(page);
  assert.equal(at, name);
  assert.ok(outline >= 2, `"${name}" does not show that it is chosen`);
}

function focused(page) {
  return page.evaluate(() => {
    const at = document.activeElement;
    const style = getComputedStyle(at);
    return {
      name: (at.labels?.[0] ?? at).textContent.trim(),
      outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    };
  });
}
