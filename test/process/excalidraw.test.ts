import { describe, expect, it } from "vitest";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { FrameClient } from "../support/frame-client.ts";
import { serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime } from "../support/start-program.ts";

const scratch = useBuiltScratch();

const element = (id: string, version: number) => {
  return { id, type: "rectangle", x: 0, y: 0, version, versionNonce: version, isDeleted: false };
};

const told = (events: readonly { event: string; data: { user_id?: string } }[]) =>
  events.map(({ event, data }) => `${event} ${data.user_id ?? ""}`.trim());

describe.each(["node", "deno", "bun"] as const)("excalidraw on %s", (runtime) => {
  const start = () => serve(runtime, { args: ["excalidraw", ...scratch.flags(runtime)] });

  it.runIf(hasRuntime(runtime))(
    "has every answered change after kill -9, and tells those to have left who were there",
    async () => {
      const before = await start();
      const editor = await FrameClient.open(before.websocket);
      await editor.request("create_diagram", { diagram_id: "plan" });
      const { data: subscribed } = await editor.request("subscribe", { channel: "diagram:plan" });
      await editor.request("join_diagram", { diagram_id: "plan", user_id: "ada" });
      for (let version = 1; version <= 20; version++) {
        const answer = await editor.request("update_diagram", {
          diagram_id: "plan",
          elements: [element("a", version), element(`e${version}`, 1)],
        });
        expect(answer.error_code).toBe(null);
      }
      // Cut off in the midst of more.
      for (let version = 21; version <= 60; version++) {
        const elements = [element("a", version), element(`e${version}`, 1)];
        editor.send({ type: "event", event: "diagram.updated", data: { diagram_id: "plan", elements } });
      }
      before.kill("SIGKILL");
      await before.ended;

      const after: Serving = await start();
      try {
        const client = await FrameClient.open(after.websocket);
        const { data: diagram } = await client.request("get_diagram", { diagram_id: "plan" });
        // Both elements of an update are there, or neither: as many of its kind as there are versions.
        const [a, ...others] = diagram.elements;
        expect(a.version).toBeGreaterThanOrEqual(20);
        expect(others).toHaveLength(a.version);
        expect(diagram.version).toBe(a.version + 1);
        const { data: resumed } = await client.request("subscribe", {
          channel: "diagram:plan",
          since: { epoch: subscribed.epoch, seq: subscribed.seq },
        });
        expect(resumed.recovered).toBe(true);
        await client.frame(({ event, data }) =>
          event === "diagram.updated" && data.version === diagram.version
        );
        expect(client.events("diagram:plan").map(({ data }) => data.version)).toEqual(
          Array.from({ length: a.version }, (_, index) => index + 2),
        );
        const presence = await client.request("get_presence", { channel: "presence:plan" });
        expect(presence.data).toMatchObject({ count: 0, users: [] });
        const { data: history } = await client.request("get_history", { channel: "presence:plan" });
        expect(told(history.events)).toEqual(["user.joined ada", "user.left ada"]);
        await client.request("join_diagram", { diagram_id: "plan", user_id: "bob" });
        await client.close();
      } finally {
        after.kill("SIGTERM");
      }
      expect(await after.ended).toMatchObject({ code: 0, complaints: [] });
    },
    90_000,
  );
});
