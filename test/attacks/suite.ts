/**
 * Everything that is tried against a running process, one kind after the other, while somebody else is served.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { requireOrSkip } from "../support/require.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { type Bystander, startBystander } from "./bystander.ts";
import { type Memory, Target } from "./target.ts";
import { floodAttacks } from "./flood-attacks.ts";
import { frameAttacks } from "./frame-attacks.ts";
import { pathAttacks } from "./path-attacks.ts";
import { permissionAttacks } from "./permission-attacks.ts";
import { pollutionAttacks } from "./pollution-attacks.ts";
import { beginSlowAttacks, type SlowAttacks } from "./slow-attacks.ts";
import { tokenAttacks } from "./token-attacks.ts";

/** What an answer to somebody else may take, under attack on a busy machine. */
const SLOWEST_MS = 10_000;
/**
 * What a process may hold beyond what it held at the start, in MiB. The most that the attacks make it keep is what ten
 * connections that do not read are answered in one go, before they are ended: 64 answers of 200 KB each, 130 MB in all,
 * as text and as bytes. The rest is what the engines take before they collect garbage. Bun's peaks are between 250 and
 * 450, from run to run. Deno gives little of it back, but does not take ever more: sixty such rounds peak at 590.
 */
const MEMORY_MIB = 700;

/** Attackers have addresses of their own, and what a process holds in memory stands in `/proc`. */
const isLinux = () => requireOrSkip("127.x.y.z and /proc", process.platform === "linux", "run them on Linux");

export function attackSuite(runtime: RuntimeName): void {
  describe.runIf(hasRuntime(runtime) && isLinux())(`Attacked on ${runtime}`, { timeout: 120_000 }, () => {
    let target: Target;
    let bystander: Bystander;
    let slow: SlowAttacks;
    let start: Memory;
    let stopped = false;

    beforeAll(async () => {
      await buildOnce();
      target = await Target.start(runtime);
      const token = await target.token("bystander", ["session-buddy:read", "session-buddy:write"]);
      bystander = await startBystander(target.service("session-buddy"), token);
      start = await target.memory();
      slow = await beginSlowAttacks(target);
    }, 180_000);
    afterAll(async () => {
      slow?.stop();
      if (stopped) return;
      await bystander?.stop();
      await target?.stop();
    }, 60_000);

    const given = () => target;
    tokenAttacks(given);
    permissionAttacks(given);
    pollutionAttacks(given);
    pathAttacks(given);
    frameAttacks(given);
    floodAttacks(given);

    it("ends connections that hold their place and do nothing with it", async () => {
      // All of them, and most of them anew.
      expect(slow.opened).toBeGreaterThan(800);
      expect(await slow.ended(60_000)).toEqual([]);
      await expect.poll(() => slow.stalled(), { timeout: 60_000 }).toBe(0);
    }, 120_000);

    it("has answered others all the time, in bounded memory, and ends in order", async () => {
      const report = await bystander.stop();
      const memory = await target.memory();
      const log = target.log();
      stopped = true;
      const { code, complaints } = await target.stop();
      const { count, p50, p99, max, faults } = report;
      process.stdout.write(
        `${runtime}: ${count} answers to others under attack, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms\n`,
      );
      expect(faults).toEqual([]);
      expect(count).toBeGreaterThan(50);
      expect(max).toBeLessThan(SLOWEST_MS);
      const [before, after, peak] = [start.now, memory.now, memory.peak].map(Math.round);
      process.stdout.write(
        `${runtime}: memory ${before} MiB before, at most ${peak} MiB, ${after} MiB after\n`,
      );
      expect(memory.peak - start.now).toBeLessThan(MEMORY_MIB);
      expect(log).not.toContain(" ERROR ");
      expect({ code, complaints }).toEqual({ code: 0, complaints: [] });
    }, 60_000);
  });
}
