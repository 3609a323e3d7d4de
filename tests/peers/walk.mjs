// Walks through the gateway with Chromium: `node walk.mjs NAME`, a walk of ./walk.
// From the environment: GATEWAY (its address) and, for the demo, the passwords ALICE and BOB.
import { Walker } from './walk/walker.mjs';

const PATIENCE = 300_000; // milliseconds for a whole walk on a busy machine

const name = process.argv[2];
setTimeout(() => fail(new Error(`the walk did not end within ${PATIENCE / 1000} s`)), PATIENCE).unref();

function fail(error) {
  console.error(error.stack ?? error);
  process.exit(1);
}

try {
  const { default: walk, options } = await import(`./walk/${name}.mjs`);
  const walker = await Walker.start(name, options);
  try {
    await walk(walker);
    walker.complainOfFaults();
  } catch (error) {
    await walker.keepLastLook();
    throw error;
  } finally {
    await walker.end();
  }
} catch (error) {
  fail(error);
}
