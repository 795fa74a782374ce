import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { files } from "../../src/runtimes/files.ts";

describe("files", () => {
  let folder = "";
  const at = (...parts: string[]) => join(folder, ...parts);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "files-"));
    await writeFile(at("text"), "grüße\n");
    await mkdir(at("inner"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it("readText gives the text as UTF-8", async () => {
    expect(await files.readText(at("text"))).toBe("grüße\n");
  });

  it("readText gives undefined where there is no file", async () => {
    expect(await files.readText(at("missing"))).toBeUndefined();
    expect(await files.readText(at("text", "below"))).toBeUndefined();
  });

  it("readText of a folder rejects with a sentence that names it", async () => {
    await expect(files.readText(at("inner"))).rejects.toThrow(
      `Cannot read "${at("inner")}": it is a folder; name a file`,
    );
  });

  it("readText of what may have no end rejects at once: a device, a pipe that nobody writes to, a file that is far too large", async () => {
    execFileSync("mkfifo", [at("pipe")]);
    await writeFile(at("large"), "");
    await truncate(at("large"), 16_777_217);
    for (const path of ["/dev/zero", at("pipe")]) {
      await expect(files.readText(path)).rejects.toThrow(
        `Cannot read "${path}": it is a device or a pipe; name a file`,
      );
    }
    await expect(files.readText(at("large"))).rejects.toThrow(
      "it has 16777217 bytes; name a file of at most 16777216",
    );
  });

  it("kind tells files, folders and nothing apart", async () => {
    expect(await files.kind(at("text"))).toBe("file");
    expect(await files.kind(at("inner"))).toBe("folder");
    expect(await files.kind(at("missing"))).toBe("missing");
    expect(await files.kind(at("text", "below"))).toBe("missing");
  });

  it("kind of a path that is too long rejects with a sentence", async () => {
    await expect(files.kind(at("x".repeat(5_000)))).rejects.toThrow(
      "the path is too long; choose a shorter one",
    );
  });

  it("makeFolder makes those above too, and does nothing where it exists", async () => {
    await files.makeFolder(at("a", "b", "c"));
    await files.makeFolder(at("a", "b", "c"));
    expect(await files.kind(at("a", "b", "c"))).toBe("folder");
  });

  it("makeFolder where a file is in the way rejects with a sentence", async () => {
    await expect(files.makeFolder(at("text"))).rejects.toThrow(
      `Cannot make the folder "${
        at("text")
      }": a file of this name is in the way; remove it or choose another path`,
    );
    await expect(files.makeFolder(at("text", "below"))).rejects.toThrow(
      "a part of the path is a file, not a folder",
    );
  });

  it("resolve gives an absolute path from the working directory", () => {
    expect(files.resolve("a", "../b")).toBe(join(process.cwd(), "b"));
    expect(files.resolve("/a", "b")).toBe("/a/b");
  });
});
