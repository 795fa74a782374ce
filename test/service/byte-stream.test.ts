import { describe, expect, it } from "vitest";
import { piecesOf, StalledError, streamOf } from "../../src/service/byte-stream.ts";
import { FakeClock } from "../support/fake-clock.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function held() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (cancelled = true),
  });
  return {
    body,
    send: (text: string) => controller.enqueue(bytes(text)),
    close: () => controller.close(),
    isCancelled: () => cancelled,
  };
}

describe("piecesOf()", () => {
  it("gives what comes, as it comes, to the end", async () => {
    const clock = new FakeClock();
    const { body, send, close } = held();
    const pieces = piecesOf(body, { clock, idleMs: 1_000 });
    send("a");
    expect((await pieces.next()).value).toEqual(bytes("a"));
    send("");
    send("b");
    expect((await pieces.next()).value).toEqual(bytes("b"));
    close();
    expect(await pieces.next()).toMatchObject({ done: true });
    expect(clock.pending).toBe(0);
  });

  it("gives nothing where there is no body", async () => {
    expect(await piecesOf(null, { clock: new FakeClock(), idleMs: 1 }).next()).toMatchObject({ done: true });
  });

  it("throws StalledError and cancels where nothing comes in time, counted anew for each piece", async () => {
    const clock = new FakeClock();
    const { body, send, isCancelled } = held();
    const pieces = piecesOf(body, { clock, idleMs: 1_000 });
    for (const text of ["a", "b", "c"]) {
      const next = pieces.next();
      clock.advance(999);
      send(text);
      expect((await next).value).toEqual(bytes(text));
    }
    const late = pieces.next();
    // The wait begins when the reader has asked.
    await expect.poll(() => clock.pending).toBe(1);
    clock.advance(1_000);
    await expect(late).rejects.toBeInstanceOf(StalledError);
    expect(isCancelled()).toBe(true);
  });

  it("waits for ever where idleMs is 0", async () => {
    const clock = new FakeClock();
    const { body, send } = held();
    const next = piecesOf(body, { clock, idleMs: 0 }).next();
    clock.advance(1e9);
    send("late");
    expect((await next).value).toEqual(bytes("late"));
  });

  it("cancels the body of a reader that leaves", async () => {
    const { body, send, isCancelled } = held();
    send("a");
    for await (const _ of piecesOf(body, { clock: new FakeClock(), idleMs: 0 })) break;
    expect(isCancelled()).toBe(true);
  });
});

describe("streamOf()", () => {
  function source(...texts: string[]) {
    const seen = { given: 0, isClosed: false };
    async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
      try {
        for (const text of texts) {
          seen.given++;
          yield await Promise.resolve(bytes(text));
        }
      } finally {
        seen.isClosed = true;
      }
    }
    return { seen, pieces: pieces() };
  }
  function ends() {
    const all: unknown[] = [];
    return { all, onEnd: (error?: unknown) => void all.push(error) };
  }

  it("gives all pieces and says once that it has ended", async () => {
    const { pieces } = source("a", "b");
    const { all, onEnd } = ends();
    const body = streamOf(pieces, { clock: new FakeClock(), idleMs: 1_000, onEnd });
    expect(await new Response(body).text()).toBe("ab");
    expect(all).toEqual([undefined]);
  });

  it("takes no piece before it is asked for", async () => {
    const { pieces, seen } = source("a", "b", "c");
    const body = streamOf(pieces, { clock: new FakeClock(), idleMs: 0 });
    const reader = body.getReader();
    expect(seen.given).toBe(0);
    await reader.read();
    expect(seen.given).toBe(1);
    await reader.cancel();
    await expect.poll(() => seen.isClosed).toBe(true);
  });

  it("fails as its source fails, and says so", async () => {
    const fault = new Error("corrupt");
    const { all, onEnd } = ends();
    async function* pieces(): AsyncGenerator<Uint8Array, void, void> {
      yield await Promise.resolve(bytes("a"));
      throw fault;
    }
    const body = streamOf(pieces(), { clock: new FakeClock(), idleMs: 0, onEnd });
    await expect(new Response(body).text()).rejects.toThrow("corrupt");
    expect(all).toEqual([fault]);
  });

  it("ends where nobody reads in time, also where nobody has begun", async () => {
    for (const begun of [false, true]) {
      const clock = new FakeClock();
      const { pieces, seen } = source("a", "b");
      const { all, onEnd } = ends();
      const reader = streamOf(pieces, { clock, idleMs: 1_000, onEnd }).getReader();
      if (begun) await reader.read();
      clock.advance(999);
      expect(all).toEqual([]);
      clock.advance(1);
      expect(all).toEqual([expect.any(StalledError)]);
      await expect(reader.read()).rejects.toBeInstanceOf(StalledError);
      await expect.poll(() => seen.isClosed || seen.given === 0).toBe(true);
      expect(clock.pending).toBe(0);
    }
  });

  it("says once that it has ended where its reader leaves before anything was read", async () => {
    const clock = new FakeClock();
    const { pieces } = source("a");
    const { all, onEnd } = ends();
    await streamOf(pieces, { clock, idleMs: 1_000, onEnd }).cancel();
    clock.advance(10_000);
    expect(all).toHaveLength(1);
  });
});
