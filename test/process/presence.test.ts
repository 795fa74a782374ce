import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { FrameClient } from "../support/frame-client.ts";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { LEASE_SECONDS, tokenOf } from "../server/presence-service.ts";

const PROGRAM = fileURLToPath(new URL("./presence-program.ts", import.meta.url));
const CHANNEL = "desk:d1";

const folder = mkdtempSync(join(tmpdir(), "presence-"));
let running: Program<{ url: string }> | null = null;
afterEach(async () => {
  await running?.stop("SIGKILL");
  running = null;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function start(runtime: RuntimeName): Promise<string> {
  running = await startProgram(runtime, PROGRAM, { args: [join(folder, `${runtime}.db`)] });
  return running.ready.url;
}

async function sitDown(url: string, user: string): Promise<FrameClient> {
  const client = await FrameClient.open(url, { headers: { Authorization: `Bearer ${await tokenOf(user)}` } });
  expect(await client.request("subscribe", { channel: CHANNEL })).toMatchObject({ error_code: null });
  return client;
}

/** All that was ever told of the channel, and who is in it. */
async function look(client: FrameClient) {
  const { data: history } = await client.request("get_history", { channel: CHANNEL });
  const { data: presence } = await client.request("get_presence", { channel: CHANNEL });
  return {
    told: history.events.map(({ event, data }: { event: string; data: { user_id: string } }) =>
      `${event} ${data.user_id}`
    ),
    users: presence.users,
  };
}

describe.each(["node", "deno", "bun"] as const)("presence on %s", (runtime) => {
  it.runIf(hasRuntime(runtime))(
    "leaves no ghost after kill -9, and who is back in time has neither left nor joined",
    async () => {
      const before = await start(runtime);
      const [ada, bob] = [await sitDown(before, "ada"), await sitDown(before, "bob")];
      await bob.event("desk.taken", CHANNEL);
      expect((await look(ada)).told).toEqual(["desk.taken ada", "desk.taken bob"]);
      expect(await running!.stop("SIGKILL")).toBe("SIGKILL");
      await Promise.all([ada.closed, bob.closed]);

      const after = await start(runtime);
      const watcher = await FrameClient.open(after);
      await watcher.request("subscribe", { channel: CHANNEL });
      expect((await look(watcher)).users).toEqual([
        { user_id: "ada", connections: 1 },
        { user_id: "bob", connections: 1 },
      ]);
      const again = await sitDown(after, "ada");
      await watcher.request("pass_time", { seconds: LEASE_SECONDS });
      expect((await watcher.event("desk.left", CHANNEL)).data.user_id).toBe("bob");
      expect(await look(watcher)).toEqual({
        told: ["desk.taken ada", "desk.taken bob", "desk.left bob"],
        users: [{ user_id: "ada", connections: 1 }],
      });
      expect(watcher.events(CHANNEL).map(({ event }) => event)).toEqual(["desk.left"]);

      // Who has come back is let go of like anybody else.
      await again.close();
      await watcher.frame(({ event, data }) => event === "desk.left" && data.user_id === "ada");
      expect((await look(watcher)).users).toEqual([]);
      await watcher.close();
    },
    90_000,
  );

  it.runIf(hasRuntime(runtime))(
    "tells nothing of a restart to those who stay",
    async () => {
      const ada = await sitDown(await start(runtime), "eve");
      const { told } = await look(ada);
      expect(await running!.stop("SIGTERM")).toBe(0);
      expect((await ada.closed).code).toBe(1001);
      const eve = await sitDown(await start(runtime), "eve");
      await eve.request("pass_time", { seconds: LEASE_SECONDS });
      const bob = await sitDown(running!.ready.url, "bob");
      await bob.close();
      await eve.frame(({ event, data }) => event === "desk.left" && data.user_id === "bob");
      expect((await look(eve)).told).toEqual([...told, "desk.taken bob", "desk.left bob"]);
      await eve.close();
    },
    90_000,
  );
});
