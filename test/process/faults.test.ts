import { chmod, copyFile, mkdir, open, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase } from "../../src/runtimes/database.ts";
import { buildOnce } from "../support/build-once.ts";
import { post } from "../support/http-client.ts";
import { type Ended, makeScratch, runToEnd, type Scratch, serve } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

let scratch: Scratch;
let taken: Server;
let takenPort: number;
/** A database that was written by a server; copies of it get damaged. */
let realDatabase: string;

beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
  taken = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => taken.once("listening", resolve));
  takenPort = (taken.address() as { port: number }).port;
  realDatabase = join(scratch.folder, "real.db");
  const program = await serve("node", { args: ["session-buddy", ...scratch.flags("real")] });
  for (let n = 0; n < 40; n++) {
    await post(`${program.http}/api/requests/start_session`, {
      project: "real",
      context: { text: "x".repeat(2_000) },
    });
  }
  program.kill("SIGTERM");
  await program.ended;
  // The file by itself, whatever the engine leaves beside it.
  const database = await openDatabase(realDatabase);
  database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  database.close();
}, 120_000);
afterAll(async () => {
  await new Promise((resolve) => taken.close(resolve));
  await scratch.remove();
});

const path = (name: string) => join(scratch.folder, name);

async function settingsFile(name: string, text: string): Promise<string> {
  const file = path(`${name}.yaml`);
  await writeFile(file, text);
  return file;
}

/** One clear sentence, the right code, and nothing of our insides. */
function expectOneSentence(ended: Ended, code: number, ...words: (string | RegExp)[]): void {
  expect(ended.complaints, ended.stderr).toHaveLength(1);
  const [sentence = ""] = ended.complaints;
  for (const word of words) {
    expect(sentence).toMatch(word instanceof RegExp ? word : new RegExp(escaped(word)));
  }
  expect(sentence).not.toMatch(/\bat .*:\d+:\d+|node_modules|undefined|\[object/);
  expect(ended.stderr).not.toMatch(/^\s+at /m);
  expect(ended.stdout).toBe("");
  expect(ended.code).toBe(code);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const run = (args: string[], runtime: RuntimeName = "node") => runToEnd(runtime, { args });
const free = ["session-buddy", "--port", "0", "--http-port", "0", "--storage", ":memory:"];

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.each(runtimes)("serve on %s", (runtime) => {
  it("names the WebSocket port where it is in use, and ends with 1", async () => {
    const args = ["session-buddy", "--port", `${takenPort}`, "--http-port", "0", "--storage", ":memory:"];
    expectOneSentence(
      await run(args, runtime),
      1,
      `127.0.0.1:${takenPort}`,
      "another program uses this port",
      "setting websocket.port of session-buddy, or flag --port",
    );
  });

  it("names the HTTP port where it is in use, and ends with 1", async () => {
    const args = ["session-buddy", "--port", "0", "--http-port", `${takenPort}`, "--storage", ":memory:"];
    expectOneSentence(
      await run(args, runtime),
      1,
      `127.0.0.1:${takenPort}`,
      "another program uses this port",
    );
  });

  it("names a database that is garbage, leaves it as it is, and ends with 1", async () => {
    const file = path(`garbage-${runtime}.db`);
    await writeFile(file, "no database, ".repeat(1_000));
    const args = ["session-buddy", "--port", "0", "--http-port", "0", "--storage", file];
    expectOneSentence(await run(args, runtime), 1, file, "not a SQLite database");
    expect((await stat(file)).size).toBe(13_000);
  });

  it("names a database that was cut short, and ends with 1", async () => {
    const file = path(`cut-${runtime}.db`);
    await copyFile(realDatabase, file);
    const { size } = await stat(file);
    await truncate(file, Math.floor(size / 2 / 4096) * 4096 + 100);
    const args = ["session-buddy", "--port", "0", "--http-port", "0", "--storage", file];
    expectOneSentence(await run(args, runtime), 1, file, "damaged");
  });

  it("names a database that another server uses, and ends with 1", async () => {
    const flags = ["session-buddy", ...scratch.flags(`shared-${runtime}`)];
    const first = await serve(runtime, { args: flags });
    expectOneSentence(await run(flags, runtime), 1, `shared-${runtime}.db`, "another process uses it");
    first.kill("SIGTERM");
    expect((await first.ended).code).toBe(0);
  });
});

describe("the database of serve", () => {
  const start = (file: string) =>
    run(["session-buddy", "--port", "0", "--http-port", "0", "--storage", file]);

  it("is not a folder", async () => {
    const file = path("folder.db");
    await mkdir(file);
    expectOneSentence(await start(file), 1, file, "it is not a file");
  });

  it("is not below a file", async () => {
    await writeFile(path("plain"), "a file");
    expectOneSentence(await start(path("plain/service.db")), 1, path("plain/service.db"), "folder");
  });

  it("is not one of a newer version", async () => {
    const file = path("newer.db");
    await copyFile(realDatabase, file);
    const database = await openDatabase(file);
    database.prepare("UPDATE migrations SET steps = 999 WHERE owner = ?").run("events");
    database.close();
    expectOneSentence(await start(file), 1, "version 999", "newer program");
  });

  it("lacks none of its tables", async () => {
    for (const table of ["events", "sessions"]) {
      const file = path(`without-${table}.db`);
      await copyFile(realDatabase, file);
      const database = await openDatabase(file);
      database.exec(`PRAGMA foreign_keys = OFF; DROP TABLE ${table}`);
      database.close();
      expectOneSentence(await start(file), 1, file, "tables of session-buddy are missing");
    }
  });

  it("is not damaged in its middle", async () => {
    const file = path("holes.db");
    await copyFile(realDatabase, file);
    const handle = await open(file, "r+");
    for (let page = 2; page < 12; page++) await handle.write(Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096);
    await handle.close();
    expectOneSentence(await start(file), 1, file, "damaged");
  });

  it("is not where nothing can be written", async () => {
    // What root may write to anyway is no example for root.
    const isRoot = process.getuid?.() === 0;
    const file = isRoot ? "/proc/service.db" : path("readonly.db");
    if (!isRoot) {
      await copyFile(realDatabase, file);
      await chmod(file, 0o400);
    }
    expectOneSentence(await start(file), 1, file, /may not write|cannot be opened for writing|[Cc]annot/);
  });
});

describe("the settings of serve", () => {
  const withSettings = async (name: string, text: string) => {
    const file = await settingsFile(name, text);
    return { file, ended: await run(["session-buddy", "--settings", file, ...free]) };
  };

  it("have no key that nobody knows: file, line, path and the nearest one are named, and it ends with 2", async () => {
    const { file, ended } = await withSettings("unknown", "websocket:\n  max_conections: 5\n");
    expectOneSentence(ended, 2, `${file}:2`, "websocket.max_conections", "max_connections");
  });

  it("have the right types, or it ends with 2", async () => {
    const { file, ended } = await withSettings(
      "type",
      "log:\n  level: info\nwebsocket:\n  max_connections: many\n",
    );
    expectOneSentence(ended, 2, `${file}:4`, "websocket.max_connections", '"many"', "expected");
  });

  it("are YAML, or it ends with 2", async () => {
    const { file, ended } = await withSettings("syntax", "websocket:\n  port: [1, 2\n");
    expectOneSentence(ended, 2, file);
  });

  it("stand in a file that exists where one is named, or it ends with 2", async () => {
    const args = [
      "session-buddy",
      "--settings",
      path("nowhere.yaml"),
      "--port",
      "0",
      "--http-port",
      "0",
      "--storage",
      ":memory:",
    ];
    expectOneSentence(await run(args), 2, "--settings", path("nowhere.yaml"), "does not exist");
  });

  it("do not listen beyond this machine by accident: it ends with 2", async () => {
    const { ended } = await withSettings("host", 'http:\n  host: "0.0.0.0"\n');
    expectOneSentence(ended, 2, "http.host", "0.0.0.0", "allow_insecure");
  });

  it("come from the environment too: a wrong one is named, and it ends with 2", async () => {
    const ended = await runToEnd("node", {
      args: free,
      environment: { SESSION_BUDDY_AUTH_ENABLED: "perhaps" },
    });
    expectOneSentence(ended, 2, "SESSION_BUDDY_AUTH_ENABLED", '"perhaps"');
  });
});

describe("the command line of serve", () => {
  it("has no flag that nobody knows: the nearest is named, and it ends with 2", async () => {
    expectOneSentence(await run(["--prot"]), 2, '"--prot"', "--port");
    const alone = await runToEnd("node", { entry: "session-buddy", args: ["--prot"] });
    expectOneSentence(alone, 2, '"--prot"', "--port");
  });

  it("names services that exist, or it ends with 2", async () => {
    expectOneSentence(await run(["sesion-buddy"]), 2, '"sesion-buddy"', 'did you mean "session-buddy"?');
  });

  it("says of several services only what they can share, or it ends with 2", async () => {
    for (const args of [["--port", "9000"], ["--http-port", "9000"], ["--storage", "one.db"]]) {
      expectOneSentence(await run(args), 2, `${args[0]}: expected with one service, got several`);
    }
  });

  it("gives ports that are ports, or it ends with 2", async () => {
    expectOneSentence(await run(["session-buddy", "--port", "70000"]), 2, "--port", "70000");
    expectOneSentence(await run(["session-buddy", "--port", "eighty"]), 2, "--port", "eighty");
  });
});
