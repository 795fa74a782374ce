/**
 * The build that Node's programs are run from, made once however many test processes want it.
 *
 * @module
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build, isBuilt, sourceStamp } from "../../scripts/build.mjs";

const lock = fileURLToPath(new URL("../../dist.lock", import.meta.url));
const POLL_MS = 100;

/** Make `dist` where it is missing or old. One process at a time builds; the others wait for it. */
export async function buildOnce(): Promise<void> {
  while (!isBuilt(sourceStamp())) {
    if (!takeLock()) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      continue;
    }
    try {
      if (!isBuilt(sourceStamp())) await build();
    } finally {
      rmSync(lock, { recursive: true, force: true });
    }
  }
}

function takeLock(): boolean {
  try {
    mkdirSync(lock);
    writeFileSync(`${lock}/pid`, String(process.pid));
    return true;
  } catch {
    if (!ownerLives()) rmSync(lock, { recursive: true, force: true });
    return false;
  }
}

/** False for a lock that was left behind. */
function ownerLives(): boolean {
  try {
    const text = readFileSync(`${lock}/pid`, "utf8");
    // The owner has made the folder and not written its file yet.
    if (text === "") return true;
    process.kill(Number(text), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
