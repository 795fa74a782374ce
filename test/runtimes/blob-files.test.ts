import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DigestError } from "../../src/ports/blob-files.ts";
import { blobFiles } from "../../src/runtimes/blob-files.ts";

describe("blobFiles", () => {
  let folder = "";
  const at = (...parts: string[]) => join(folder, ...parts);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "blob-files-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const digestOf = (content: string | Uint8Array) => ({
    sha256: createHash("sha256").update(content).digest("hex"),
    size: Buffer.byteLength(content),
  });
  async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
    for (const text of texts) yield await Promise.resolve(Buffer.from(text));
  }
  async function whole(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const all: Uint8Array[] = [];
    for await (const piece of source) all.push(piece);
    return Buffer.concat(all);
  }

  it("write gives the digest of what it wrote, and digest the same", async () => {
    expect(await blobFiles.write(at("a"), pieces("con", "", "tent"), 100)).toEqual(digestOf("content"));
    expect(await readFile(at("a"), "utf8")).toBe("content");
    expect(await blobFiles.digest(at("a"))).toEqual(digestOf("content"));
    expect(await blobFiles.write(at("empty"), pieces(), 0)).toEqual(digestOf(""));
    expect(await blobFiles.digest(at("empty"))).toEqual(digestOf(""));
  });

  it("write gives null and leaves nothing where there is too much, and takes as much as may be", async () => {
    expect(await blobFiles.write(at("large"), pieces("12345", "6"), 5)).toBeNull();
    expect(await readdir(folder)).not.toContain("large");
    expect(await blobFiles.write(at("large"), pieces("123", "45"), 5)).toEqual(digestOf("12345"));
  });

  it("write passes on what its source throws, and leaves nothing", async () => {
    const fault = new Error("gone");
    await expect(blobFiles.write(
      at("broken"),
      (async function* () {
        yield* pieces("half");
        throw fault;
      })(),
      100,
    )).rejects.toBe(fault);
    expect(await readdir(folder)).not.toContain("broken");
  });

  it("write never writes over a file, and not through a link", async () => {
    await writeFile(at("there"), "before");
    await symlink(at("there"), at("link"));
    for (const name of ["there", "link"]) {
      await expect(blobFiles.write(at(name), pieces("after"), 100)).rejects.toThrow("in the way");
    }
    expect(await readFile(at("there"), "utf8")).toBe("before");
  });

  it("write into a folder that is not there rejects with a sentence that names the path", async () => {
    await expect(blobFiles.write(at("no", "file"), pieces("x"), 9)).rejects.toThrow(
      `Cannot write "${at("no", "file")}": `,
    );
  });

  it("move gives a file its name, in place of one that has it", async () => {
    await writeFile(at("from"), "new");
    await writeFile(at("to"), "old");
    await blobFiles.move(at("from"), at("to"));
    expect(await readFile(at("to"), "utf8")).toBe("new");
    expect(await readdir(folder)).not.toContain("from");
    await expect(blobFiles.move(at("from"), at("to"))).rejects.toThrow(`Cannot write "${at("to")}": `);
  });

  it("digest knows no file where there is none, or something that is none", async () => {
    await mkdir(at("inner"));
    expect(await blobFiles.digest(at("missing"))).toBeUndefined();
    expect(await blobFiles.digest(at("a", "below"))).toBeUndefined();
    expect(await blobFiles.digest(at("inner"))).toBeUndefined();
  });

  it("digest reads no further when its signal is aborted", async () => {
    await writeFile(at("abandoned"), Buffer.alloc(1_000_000));
    const leaving = new AbortController();
    const outcome = blobFiles.digest(at("abandoned"), leaving.signal);
    leaving.abort(new Error("gone"));
    await expect(outcome).rejects.toThrow("gone");
    await expect(blobFiles.digest(at("abandoned"), leaving.signal)).rejects.toThrow("gone");
  });

  it("size tells the bytes of a file, and knows none where there is none", async () => {
    await writeFile(at("sized"), "12345");
    await mkdir(at("no-file"));
    expect(await blobFiles.size(at("sized"))).toBe(5);
    expect(await blobFiles.size(at("missing"))).toBeUndefined();
    expect(await blobFiles.size(at("sized", "below"))).toBeUndefined();
    expect(await blobFiles.size(at("no-file"))).toBeUndefined();
  });

  it("read gives what is there, in pieces of bounded size", async () => {
    const content = Buffer.alloc(1_000_003, "0123456789");
    await writeFile(at("long"), content);
    let largest = 0;
    const all = await whole((async function* () {
      for await (const piece of blobFiles.read(at("long"), digestOf(content))) {
        largest = Math.max(largest, piece.byteLength);
        yield piece;
      }
    })());
    expect(all.equals(content)).toBe(true);
    expect(largest).toBeLessThanOrEqual(65_536);
    expect(await whole(blobFiles.read(at("empty"), digestOf("")))).toHaveLength(0);
  });

  it.each([
    ["other bytes", `${"x".repeat(199_999)}y`],
    ["fewer bytes", "x".repeat(199_999)],
    ["more bytes", "x".repeat(900_000)],
    ["none", ""],
  ])("read withholds the end of a file with %s", async (_, found) => {
    const expected = "x".repeat(200_000);
    await writeFile(at("changed"), found);
    let length = 0;
    await expect((async () => {
      for await (const piece of blobFiles.read(at("changed"), digestOf(expected))) length += piece.byteLength;
    })()).rejects.toBeInstanceOf(DigestError);
    expect(length).toBeLessThan(expected.length);
  });

  it("read of a file that is not there rejects with DigestError", async () => {
    await expect(whole(blobFiles.read(at("missing"), digestOf("")))).rejects.toBeInstanceOf(DigestError);
  });

  it("read gives up as soon as there is more than was expected, and is over then", async () => {
    const reader = blobFiles.read(at("long"), digestOf("whatever it is"));
    await expect(reader.next()).rejects.toBeInstanceOf(DigestError);
    expect(await reader.next()).toEqual({ done: true, value: undefined });
  });
});
