// Everything without a mouse.
import { isSeen, press } from './keys.mjs';

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
