/**
 * Real git checkouts in temporary folders.
 *
 * @module
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { processes } from "../../../src/runtimes/processes.ts";

export interface Checkout {
  /** Its name has blanks and letters that are not ASCII. */
  readonly folder: string;
  git(...args: string[]): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** A file with this text, committed. Returns the commit's id. */
  commit(path: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

const IDENTITY = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];

export async function makeCheckout(): Promise<Checkout> {
  const parent = await mkdtemp(join(tmpdir(), "session-buddy-git-"));
  const folder = join(parent, "mein Projekt – ünïcode 東京");
  await mkdir(folder);
  async function git(...args: string[]): Promise<string> {
    const result = await processes.run("git", ["-C", folder, ...IDENTITY, ...args]);
    if (result.code !== 0) throw new Error(`git ${args.join(" ")}: ${result.stderr}`);
    return result.stdout.trim();
  }
  async function write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  await git("init", "--quiet", "--initial-branch=trunk");
  return {
    folder,
    git,
    write,
    async commit(path, text) {
      await write(path, text);
      await git("add", "--all");
      await git("commit", "--quiet", "--message", path);
      return await git("rev-parse", "HEAD");
    },
    remove: () => rm(parent, { recursive: true, force: true }),
  };
}
