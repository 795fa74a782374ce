import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { executable } from "../support/start-program.ts";
import { type Figures, figuresTable, growthFaults, leastOf, type Probed } from "./figures.ts";

const probe = new URL("./probe.mjs", import.meta.url).href;

const MIB = 1_048_576;
const FIGURES: Figures = {
  heapBytes: 30 * MIB,
  externalBytes: 5 * MIB,
  rssBytes: 150 * MIB,
  timers: 40,
  resources: { TCPServerWrap: 12, Timeout: 3 },
  files: 60,
  children: 0,
  connections: 2,
  rooms: 2,
};

/** Leaks one of each kind, from its first message on. */
const LEAKING = `
import { createServer } from "node:net";
import { open } from "node:fs/promises";
const kept = [];
process.on("message", async (message) => {
  if (message !== "leak") return;
  for (let n = 0; n < 100_000; n++) kept.push({ n, text: "leak " + n });
  kept.push(Buffer.alloc(${16 * MIB}));
  for (let n = 0; n < 5; n++) kept.push(await open("/dev/null"));
  for (let n = 0; n < 10; n++) setInterval(() => {}, 1_000_000).unref();
  kept.push(createServer().listen(0, "127.0.0.1", () => process.send("leaked")));
});
// Timers that have fired, or were cleared, are none.
setTimeout(() => {}, 0);
clearTimeout(setTimeout(() => {}, 1_000_000));
`;

describe("growthFaults", () => {
  it("finds none where everything is as before, or a little more as caches are", () => {
    expect(growthFaults(FIGURES, FIGURES)).toEqual([]);
    const more = { heapBytes: 33 * MIB, externalBytes: 8 * MIB, rssBytes: 180 * MIB, timers: 41 };
    expect(growthFaults(FIGURES, { ...FIGURES, ...more, resources: { TCPServerWrap: 12, Timeout: 9 } }))
      .toEqual([]);
  });

  it("names each figure that is not back", () => {
    expect(growthFaults(FIGURES, {
      heapBytes: 40 * MIB,
      externalBytes: 10 * MIB,
      rssBytes: 300 * MIB,
      timers: 50,
      resources: { TCPServerWrap: 12, TCPSocketWrap: 1 },
      files: 61,
      children: 1,
      connections: 3,
      rooms: 4,
    })).toEqual([
      "heap: expected at most 34.0 MiB, got 40.0 MiB",
      "memory outside the heap: expected at most 9.0 MiB, got 10.0 MiB",
      "resident memory: expected at most 225.0 MiB, got 300.0 MiB",
      "open files: expected at most 60, got 61",
      "timers: expected at most 42, got 50",
      "child processes: expected at most 0, got 1",
      "connections: expected at most 2, got 3",
      "rooms: expected at most 2, got 4",
      "TCPSocketWrap: expected at most 0, got 1",
    ]);
  });

  it.runIf(process.platform === "linux")(
    "finds what a real process leaks, by what the probe tells of it",
    async () => {
      const args = [
        "--expose-gc",
        "--import",
        probe,
        "--input-type=module",
        "-e",
        `${LEAKING}setInterval(() => {}, 1e8)`,
      ];
      const child = spawn(executable("node")!, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
      try {
        const figures = async (): Promise<Figures> => {
          child.send("measure");
          const [probed] = await once(child, "message") as [Probed];
          const files = readdirSync(`/proc/${child.pid}/fd`).length;
          return { ...probed, files, children: 0, connections: 0, rooms: 0 };
        };
        const before = await figures();
        expect(before.timers).toBe(1);
        child.send("leak");
        await once(child, "message");
        const names = growthFaults(before, await figures()).map((fault) => fault.split(":")[0]);
        expect(names).toEqual([
          "heap",
          "memory outside the heap",
          "open files",
          "timers",
          "TCPServerWrap",
        ]);
      } finally {
        child.kill("SIGKILL");
      }
    },
    60_000,
  );
});

describe("leastOf", () => {
  it("takes the least of each figure, and none of a kind that was not always there", () => {
    const other = {
      ...FIGURES,
      heapBytes: 29 * MIB,
      timers: 50,
      resources: { TCPServerWrap: 12, TCPSocketWrap: 1 },
    };
    expect(leastOf([FIGURES, other])).toEqual({
      ...{ ...FIGURES, heapBytes: 29 * MIB },
      resources: { TCPServerWrap: 12, TCPSocketWrap: 0, Timeout: 0 },
    });
  });
});

describe("figuresTable", () => {
  it("has a row for each moment, under a heading", () => {
    expect(figuresTable([["start", FIGURES], ["after 1,000 s", FIGURES]])).toBe(
      [
        "                   heap  outside   resident  files  handles  timers  children  connections  rooms",
        "start          30.0 MiB  5.0 MiB  150.0 MiB     60       12      40         0            2      2",
        "after 1,000 s  30.0 MiB  5.0 MiB  150.0 MiB     60       12      40         0            2      2",
      ].join("\n"),
    );
  });
});
