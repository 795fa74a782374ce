import { appendFile, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { Workspace } from "../../../../src/ports/workspace.ts";
import { workspace } from "../../../../src/runtimes/workspace.ts";
import { followEvents } from "../../../../services/crackerjack/domain/event-tail.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { makeProject } from "../project-folder.ts";

async function follow(given: Partial<Workspace> = {}) {
  const project = await makeProject({ events: "" });
  const path = join(project.path, "events");
  const clock = new FakeClock();
  const lines: string[] = [];
  let reads = 0;
  const tail = followEvents(
    { workspace: { ...workspace, ...given }, clock },
    path,
    (line) => lines.push(line),
    () => reads++,
  );
  return { path, clock, lines, tail, reads: () => reads };
}

test("a line is read within 50 ms of the clock, while the file grows", async () => {
  const { path, clock, lines, tail } = await follow();
  await appendFile(path, "one\ntw");
  expect(lines).toEqual([]);
  clock.advance(50);
  await expect.poll(() => lines).toEqual(["one"]);
  await appendFile(path, "o\nthree");
  clock.advance(50);
  await expect.poll(() => lines).toEqual(["one", "two"]);
  await tail.finish();
  expect(lines).toEqual(["one", "two", "three"]);
  expect(clock.pending).toBe(0);
});

test("finish reads what was written last, once", async () => {
  const { path, clock, lines, tail, reads } = await follow();
  await appendFile(path, "one\n");
  clock.advance(50);
  await appendFile(path, "two\n".repeat(200_000));
  clock.advance(50);
  await tail.finish();
  expect(lines.slice(0, 2)).toEqual(["one", "two"]);
  expect(lines.filter((line) => line !== "")).toHaveLength(200_001);
  // In pieces, so that the file need not fit into memory.
  expect(reads()).toBeGreaterThan(3);
});

test("a file that is taken away is no end of the world", async () => {
  const { path, clock, lines, tail } = await follow();
  await appendFile(path, "one\n");
  clock.advance(50);
  await expect.poll(() => lines).toEqual(["one"]);
  await rm(path);
  clock.advance(50);
  await tail.finish();
  expect(lines.filter((line) => line !== "")).toEqual(["one"]);
});

test("a file that cannot be read for a while is read later", async () => {
  let isBroken = true;
  const { path, clock, lines, tail } = await follow({
    readFrom: (...args) => isBroken ? Promise.reject(new Error("no")) : workspace.readFrom(...args),
  });
  await appendFile(path, "one\n");
  clock.advance(200);
  isBroken = false;
  await tail.finish();
  expect(lines.filter((line) => line !== "")).toEqual(["one"]);
});

test("a file without end is left, and told of", async () => {
  const { path, tail, lines } = await follow();
  await appendFile(path, "one\n");
  await truncate(path, 2 ** 40);
  expect(await tail.finish()).toBe("Cannot read the results: expected less than 134217728 bytes, got more");
  expect(lines).toEqual(["one"]);
}, 60_000);
