/**
 * Preloaded into the server that is soaked (`node --expose-gc --import`): answers the message `measure` of the process
 * that has started it with what the server holds after its garbage was collected. It adds nothing to the server's own
 * addresses, so nobody else can ask.
 *
 * @module
 */
import process from "node:process";

const COLLECTIONS = 4;

/** Timers that are to fire, those included that do not keep the process alive and that Node does not tell of. */
const timers = new Set();

for (const name of /** @type {const} */ (["setTimeout", "setInterval"])) {
  const original = globalThis[name];
  const counted = (/** @type {(...args: unknown[]) => void} */ work, /** @type {unknown[]} */ ...rest) => {
    const timer = original((...args) => {
      if (name === "setTimeout") timers.delete(timer);
      work(...args);
    }, .../** @type {[number]} */ (rest));
    timers.add(timer);
    return timer;
  };
  Object.defineProperties(counted, Object.getOwnPropertyDescriptors(original));
  globalThis[name] = /** @type {never} */ (counted);
}
for (const name of /** @type {const} */ (["clearTimeout", "clearInterval"])) {
  const original = globalThis[name];
  globalThis[name] = (timer) => {
    timers.delete(timer);
    original(timer);
  };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function measure() {
  const { gc } = /** @type {{ gc?: () => void }} */ (globalThis);
  if (!gc) throw new Error("Expected node --expose-gc, got no collector to call");
  for (let n = 0; n < COLLECTIONS; n++) {
    gc();
    // What was collected may have something to clean up, which frees more.
    await nextTurn();
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  /** @type {Record<string, number>} */
  const resources = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss, timers: timers.size, resources };
}

process.on("message", async (message) => {
  if (message === "measure") process.send?.(await measure());
});
// The server ends when it wants to.
process.channel?.unref();
