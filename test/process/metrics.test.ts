/**
 * What a service says of itself as a process, on every runtime.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { METRICS } from "../../src/metrics/catalog.ts";
import { buildOnce } from "../support/build-once.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { parsePrometheus } from "../support/prometheus-text.ts";
import { makeScratch, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE = 240_000;

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, PATIENCE);
afterAll(() => scratch?.remove());

describe.each<RuntimeName>(["node", "deno", "bun"])("/metrics on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "has every row of the catalog, with figures of the process and its event loop",
    async () => {
      const program = await serve(runtime, {
        args: ["session-buddy", ...scratch.flags(runtime)],
        folder: scratch.folder,
        lifetimeMs: PATIENCE,
      });
      const read = async () => parsePrometheus((await get(`${program.http}/metrics`)).body);
      const client = await FrameClient.open(program.websocket);
      await client.request("subscribe", { channel: "global" });
      await client.request("start_session", { session_id: "s1", project: "metrics" });
      await client.event("session.created", "global");
      const { types, values } = await read();
      expect([...types.keys()].sort()).toEqual(Object.keys(METRICS).sort());
      const silent = [...types.keys()].filter((name) =>
        ![...values.keys()].some((key) => key.startsWith(name))
      );
      expect(silent).toEqual([]);
      const mine = (name: string) => values.get(`${name}{server="session-buddy"}`) ?? 0;
      expect(mine("process_resident_memory_bytes")).toBeGreaterThan(mine("process_heap_bytes"));
      expect(mine("process_heap_bytes")).toBeGreaterThan(100_000);
      expect(mine("process_cpu_seconds_total")).toBeGreaterThan(0);
      expect(mine("websocket_database_bytes")).toBeGreaterThan(0);
      expect(Math.abs(mine("websocket_start_time_seconds") - Date.now() / 1_000)).toBeLessThan(
        PATIENCE / 1_000,
      );
      expect([...values.keys()]).toContainEqual(
        expect.stringMatching(new RegExp(`^websocket_build_info\\{.*runtime="${runtime}"\\}$`)),
      );
      const looks = async () =>
        (await read()).values.get('websocket_event_loop_delay_seconds_count{server="session-buddy"}') ?? 0;
      const before = await looks();
      await expect.poll(looks, { timeout: 60_000 }).toBeGreaterThan(before);
      await client.close();
      program.kill("SIGTERM");
      expect(await program.ended).toMatchObject({ code: 0, complaints: [] });
    },
    PATIENCE,
  );
});
