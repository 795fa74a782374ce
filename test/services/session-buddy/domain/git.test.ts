import { access, chmod, mkdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseStatus, readGitState } from "../../../../services/session-buddy/domain/git.ts";
import { processes } from "../../../../src/runtimes/processes.ts";
import { type Checkout, makeCheckout } from "../git-checkout.ts";

let checkout: Checkout;
beforeEach(async () => void (checkout = await makeCheckout()));
afterEach(() => checkout.remove());

const read = (folder = checkout.folder) => readGitState(processes, folder);

describe("readGitState", () => {
  test("gives branch, head and dirty paths of any name", async () => {
    const head = await checkout.commit("src/old name.ts", "a\nb\nc\n");
    await checkout.commit("changed", "1");
    expect(await read()).toEqual({ branch: "trunk", head: expect.any(String), dirty: [], dirty_count: 0 });
    await checkout.git("mv", "src/old name.ts", "src/new name.ts");
    await checkout.write("changed", "2");
    await checkout.write('ein "Blatt" – 東京.md', "new");
    await checkout.write("folder/inside", "new");
    const state = await read();
    expect(state?.head).toMatch(/^[0-9a-f]{40}$/);
    expect(state?.head).not.toBe(head);
    expect(state?.dirty.toSorted()).toEqual(
      ["changed", 'ein "Blatt" – 東京.md', "folder/", "src/new name.ts"].sort(),
    );
    expect(state?.dirty_count).toBe(4);
    expect(await read(join(checkout.folder, "src"))).toEqual(state);
  });

  test("gives no branch where HEAD is detached", async () => {
    const head = await checkout.commit("a", "1");
    await checkout.git("checkout", "--quiet", "--detach");
    expect(await read()).toEqual({ branch: null, head, dirty: [], dirty_count: 0 });
  });

  test("gives no head before the first commit", async () => {
    await checkout.write("a", "1");
    expect(await read()).toEqual({ branch: "trunk", head: null, dirty: ["a"], dirty_count: 1 });
  });

  test("names a file in conflict", async () => {
    await checkout.commit("a file", "1");
    await checkout.git("checkout", "--quiet", "-b", "other");
    await checkout.commit("a file", "2");
    await checkout.git("checkout", "--quiet", "trunk");
    await checkout.commit("a file", "3");
    await checkout.git("merge", "other").catch(() => {});
    expect(await read()).toMatchObject({ branch: "trunk", dirty: ["a file"], dirty_count: 1 });
  });

  test("lists 100 paths and counts all of them", async () => {
    for (let i = 0; i < 130; i++) await checkout.write(`f${i}`, "");
    const state = await read();
    expect(state?.dirty).toHaveLength(100);
    expect(state?.dirty_count).toBe(130);
  });

  test("is null outside of a checkout, in a bare one, in a missing folder, and without git", async () => {
    expect(await read(join(checkout.folder, ".."))).toBeNull();
    expect(await read(join(checkout.folder, ".git"))).toBeNull();
    expect(await read(join(checkout.folder, "missing"))).toBeNull();
    const without = {
      ...processes,
      run: (_: string, args: readonly string[]) => processes.run("no-such-git", args),
    };
    expect(await readGitState(without, checkout.folder)).toBeNull();
  });

  test("runs no program that the checkout's own settings name", async () => {
    await checkout.commit("a", "same");
    const marker = join(checkout.folder, "..", "ran");
    const program = join(checkout.folder, "..", "program");
    await writeFile(program, `#!/bin/sh\ntouch '${marker}'\ncat\n`);
    await chmod(program, 0o755);
    const quoted = `'${program}'`;
    await checkout.write(".git/info/attributes", "* filter=my=filter\n");
    await checkout.write(".git/more", `[filter "my=filter"]\n\tclean = "${quoted}"\n\trequired = true\n`);
    await checkout.git("config", "include.path", "more");
    await checkout.git("config", "core.fsmonitor", quoted);
    await mkdir(join(checkout.folder, "hooks"));
    await writeFile(join(checkout.folder, "hooks/post-index-change"), `#!/bin/sh\ntouch '${marker}'\n`);
    await chmod(join(checkout.folder, "hooks/post-index-change"), 0o755);
    await checkout.git("config", "core.hooksPath", "hooks");
    const touch = () => utimes(join(checkout.folder, "a"), new Date(), new Date(2000));
    const ran = () => access(marker).then(() => true, () => false);

    await touch();
    expect(await read()).toEqual({
      branch: "trunk",
      head: expect.any(String),
      dirty: ["hooks/"],
      dirty_count: 1,
    });
    expect(await ran()).toBe(false);

    await touch();
    await checkout.git("status");
    expect(await ran()).toBe(true);
  });
});

describe("parseStatus", () => {
  const header = "# branch.oid (initial)\0# branch.head trunk\0";

  test("drops a path that was cut, and the count with it", () => {
    expect(parseStatus({ code: null, stdout: `${header}? whole\0? cu` })).toEqual({
      branch: "trunk",
      head: null,
      dirty: ["whole"],
      dirty_count: null,
    });
  });

  test("is null where nothing came, or where git failed", () => {
    expect(parseStatus({ code: null, stdout: "" })).toBeNull();
    expect(parseStatus({ code: 128, stdout: header })).toBeNull();
  });

  test("keeps the list within 32,768 characters", () => {
    const lines = Array.from({ length: 20 }, (_, index) => `? ${"p".repeat(3000)}${index}\0`).join("");
    const state = parseStatus({ code: 0, stdout: header + lines });
    expect(state?.dirty).toHaveLength(10);
    expect(state?.dirty_count).toBe(20);
  });
});
