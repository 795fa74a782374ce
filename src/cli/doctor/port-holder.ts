/**
 * Which program has a port, where the system tells: Linux does, of the caller's own programs.
 *
 * @module
 */
import { readdir, readFile, readlink } from "node:fs/promises";

const LISTENING = "0A";
/** More are not looked at. */
const MAX_PROCESSES = 20_000;

/** A program that listens there, like `python3 (process 4711)`; null where none can be told. */
export async function portHolder(port: number): Promise<string | null> {
  const sockets = await listeningSockets(port);
  if (sockets.size === 0) return null;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids.slice(0, MAX_PROCESSES)) {
    for (const link of await linksOf(pid)) {
      if (!sockets.has(link)) continue;
      const name = (await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "a program")).trim();
      return `${name} (process ${pid})`;
    }
  }
  return null;
}

async function listeningSockets(port: number): Promise<Set<string>> {
  const sockets = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state !== LISTENING || parseInt(local.split(":").at(-1) ?? "", 16) !== port) continue;
      sockets.add(`socket:[${inode}]`);
    }
  }
  return sockets;
}

/** What a process has open, as far as we may know. */
async function linksOf(pid: string): Promise<string[]> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  return await Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => "")));
}
