import { rm } from "node:fs/promises";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { ADAPTER_ID, sha256Of, type Started } from "./started-manager.ts";
import { distributing, SHA256, startDistributing } from "./distributing.ts";

let started: Started;
afterEach(() => started?.stop());

const { distribute, status, ack, distributed } = distributing(() => started);

async function startWithFolder(more: JsonObject = {}): Promise<string> {
  const made = await startDistributing(more);
  started = made.started;
  return made.folder;
}

const offers = () =>
  started.told().filter(({ event }) => event === "adapter.offered").map(({ data }) => data);

describe("a client target", () => {
  const offer = (attempts: number, distribution_id: string) => ({
    adapter_id: ADAPTER_ID,
    version: "1.0",
    distribution_id,
    target: "client:a",
    sha256: SHA256,
    size: 11,
    attempts,
  });

  it("is offered the version at once, and acknowledged by the right hash only", async () => {
    await startWithFolder();
    const { distribution_id: id, targets } = await distribute(["client:a"]);
    expect(targets).toMatchObject([{ target: "client:a", kind: "client", attempts: 1 }]);
    expect(offers()).toEqual([offer(1, id)]);
    await expect(ack(id, "client:a", sha256Of("something else"))).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining(SHA256),
    });
    expect(await status(id)).toMatchObject({ status: "pending", targets: [{ status: "pending" }] });
    expect(distributed()).toEqual([]);
    const content = await started.download(SHA256);
    expect(await ack(id, "client:a", sha256Of(content))).toMatchObject({
      status: "acknowledged",
      targets: [{ target: "client:a", status: "acknowledged", sha256: SHA256 }],
    });
    expect(distributed()).toMatchObject([{
      data: { target: "client:a", status: "acknowledged", attempts: 1 },
    }]);
  });

  it("may say so again, which changes and tells nothing", async () => {
    await startWithFolder();
    const { distribution_id: id } = await distribute(["client:a"]);
    const first = await ack(id, "client:a", SHA256);
    started.told();
    expect(await ack(id, "client:a", SHA256)).toEqual(first);
    expect(started.told()).toEqual([]);
  });

  it("that says nothing is offered it again, and given up in the end", async () => {
    await startWithFolder();
    const { distribution_id: id } = await distribute(["client:a"]);
    started.clock.advance(9_999);
    expect(offers()).toEqual([offer(1, id)]);
    started.clock.advance(1);
    expect(offers()).toEqual([offer(2, id)]);
    started.clock.advance(10_000);
    expect(offers()).toEqual([offer(3, id)]);
    started.clock.advance(10_000);
    expect(distributed()).toMatchObject([
      { data: { status: "failed", attempts: 3, error: expect.stringContaining("3 offers") } },
    ]);
    await expect(ack(id, "client:a", SHA256)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("given up"),
    });
  });

  it("cannot speak for a target of the settings, nor for one that was not asked for", async () => {
    const folder = await startWithFolder();
    await rm(folder, { recursive: true });
    const { distribution_id: id } = await distribute(["here"]);
    await expect(ack(id, "here", SHA256)).rejects.toMatchObject({
      code: "CONFLICT",
      message: expect.stringContaining("answers for itself"),
    });
    await expect(ack(id, "client:b", SHA256)).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(distributed()).toEqual([]);
  });

  it("is offered what it has not acknowledged after a crash, and may acknowledge it then", async () => {
    await startWithFolder();
    const { distribution_id: id } = await distribute(["client:a"]);
    await started.restart();
    started.clock.advance(10_000);
    expect(offers()).toEqual([offer(1, id), offer(2, id)]);
    expect(await ack(id, "client:a", SHA256)).toMatchObject({ status: "acknowledged" });
  });
});

describe("a database that takes no more writes", () => {
  it("makes distributions rest, and go on when it takes them again", async () => {
    await startWithFolder();
    started.database.exec(
      "CREATE TRIGGER broken BEFORE UPDATE ON deliveries BEGIN SELECT raise(ABORT, 'the disk is full'); END",
    );
    const { distribution_id: id } = await distribute(["here"]);
    await started.until(() => started.log.some((line) => line.includes("Distributions rest")));
    expect(await status(id)).toMatchObject({ status: "pending", targets: [{ attempts: 0 }] });
    expect(distributed()).toEqual([]);
    // It has not been tried over and over meanwhile.
    expect(started.log.filter((line) => line.includes("Distributions rest"))).toHaveLength(1);
    started.database.exec("DROP TRIGGER broken");
    started.clock.advance(1_000);
    expect((await started.heard("adapter.distributed")).data).toMatchObject({
      status: "acknowledged",
      attempts: 1,
    });
  });
});
