import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { isReaderGone, outputFault, writeOut } from "../../src/runtimes/write-out.ts";

function failureOf(code: string): Error {
  return Object.assign(new Error(`${code}: why`), { code });
}

/** A stream that fails from its second text on, as `fail` says. */
function makeStream(fail: (done: (error: Error) => void) => void) {
  const texts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    autoDestroy: false,
    write(text: string, _, done) {
      texts.push(text);
      if (texts.length < 2) done();
      else fail(done);
    },
  });
  return { stream, texts };
}

describe("writeOut", () => {
  it("says what came of it, and writes nothing more after a failure", async () => {
    const failure = failureOf("ENOSPC");
    const { stream, texts } = makeStream((done) => done(failure));
    expect(await writeOut(stream, "one")).toBe(null);
    expect(await writeOut(stream, "two")).toBe(failure);
    expect(await writeOut(stream, "three")).toBe(failure);
    expect(texts).toEqual(["one", "two"]);
  });

  it("takes what a stream throws for its failure", async () => {
    const failure = failureOf("ENOSPC");
    const { stream } = makeStream(() => {
      throw failure;
    });
    await writeOut(stream, "one");
    expect(await writeOut(stream, "two")).toBe(failure);
    expect(await writeOut(stream, "three")).toBe(failure);
  });
});

it("isReaderGone tells a reader that has left from what is a fault", () => {
  expect(["EPIPE", "ECONNRESET", "ENOSPC", "EIO"].map((code) => isReaderGone(failureOf(code)))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it("outputFault is a sentence", () => {
  expect(outputFault(failureOf("ENOSPC"))).toBe(
    "Cannot write to standard output: the disk is full; make room or choose another path",
  );
  expect(outputFault(failureOf("EIO"))).toBe("Cannot write to standard output: EIO: why");
});
