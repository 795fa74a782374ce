/**
 * `mcp-realtime doctor`, as a person runs it: a process of its own, in folders in which something is wrong.
 */
import { createHash } from "node:crypto";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, type Server as NetServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { VERSION } from "../../src/protocol/version.ts";
import { sqliteEngine } from "../../src/runtimes/sqlite-driver.ts";
import { claim } from "../../src/runtimes/sqlite-file.ts";
import { examined, folderIn } from "./doctor/examined.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { type ServedService, serveIn } from "../support/cli-service.ts";
import { runCommand } from "../support/command-process.ts";
import { freePort } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret of more than 32 bytes, that only this file knows";

const scratch = useBuiltScratch();
const servers: (Server | NetServer)[] = [];
const folderWith = (settings: Record<string, unknown>, service?: string) =>
  folderIn(scratch.folder, settings, service);

afterAll(() => {
  for (const server of servers) {
    server.close();
    if ("closeAllConnections" in server) server.closeAllConnections();
  }
});

/** Every file in a folder with its content, its rights and its times. */
async function stateOf(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return await Promise.all(
    names.sort().map(async (name) => {
      const path = join(folder, name);
      const { mode, mtimeMs, size } = await stat(path);
      const isFile = (await stat(path)).isFile();
      const digest = isFile ? createHash("sha256").update(await readFile(path)).digest("hex") : "";
      return `${name} ${mode} ${isFile ? mtimeMs : ""} ${size} ${digest}`;
    }),
  );
}

/** A program that has a port and answers as it is told. */
async function stranger(
  answer: (path: string, body: string) => { status?: number; body: string },
): Promise<number> {
  const server = createHttpServer((request, response) => {
    let body = "";
    request.on("data", (part) => body += part);
    request.on("end", () => {
      const { status = 200, body: text } = answer(request.url ?? "", body);
      response.writeHead(status, { "Content-Type": "application/json" }).end(text);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

describe.each<RuntimeName>(["node", "deno", "bun"])("doctor, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  test.skipIf(!hasRuntime(runtime))("finds nothing wrong where nothing is, and changes nothing", async () => {
    const folder = await folderWith({});
    await mkdir(join(folder, "data"));
    const database = (await sqliteEngine())(join(folder, "data/akosha.db"));
    claim(database);
    database.exec("CREATE TABLE a (b); INSERT INTO a VALUES (1)");
    database.close();
    await chmod(join(folder, "data/akosha.db"), 0o600);
    const before = await stateOf(folder);
    const { notOk, of } = await examined(folder, { runtime });
    expect(notOk()).toEqual(["server.reachable"]);
    expect(of("server.reachable")).toBe("warn: akosha does not run → start it: mcp-realtime serve akosha");
    expect(of("runtime.version")).toMatch(/^ok: (Node|Deno|Bun) \d+\.\d+\.\d+ is late enough$/);
    expect(of("runtime.sqlite")).toMatch(/^ok: SQLite 3\.\d+\.\d+ is there$/);
    expect(of("storage.file")).toMatch(/^ok: .*akosha\.db" can be opened and is whole$/);
    expect(await stateOf(folder)).toEqual(before);
  });
});

describe("doctor, of a service that runs", { timeout: PATIENCE_MS }, () => {
  let service: ServedService;
  let folder: string;
  beforeAll(async () => {
    folder = join(scratch.folder, "running");
    await mkdir(folder);
    const settings = {
      auth: { required: true, secret: SECRET },
      origins: { allowed: ["https://a.example"] },
    };
    service = await serveIn({ folder, service: "akosha", settings });
  }, PATIENCE_MS);
  afterAll(() => service?.stop());

  test("knows it by its ports, asks it, and leaves its database alone", async () => {
    const { notOk, of } = await examined(folder);
    expect(notOk()).toEqual([]);
    expect(of("ports.websocket")).toMatch(/^ok: Port \d+ on 127\.0\.0\.1 belongs to akosha, which runs$/);
    expect(of("server.reachable")).toBe(`ok: akosha runs at ${service.http}`);
    expect(of("server.ready")).toMatch(/^ok: /);
    expect(of("server.version")).toBe(`ok: It is of this version, ${VERSION}`);
    expect(of("server.clock")).toMatch(/^ok: /);
    expect(of("server.origins")).toBe("ok: It refuses web pages of strange origins");
    expect(of("storage.file")).toMatch(/^ok: .* is in use by akosha, which has checked it when it started$/);
    expect(of("auth.secret")).toBe("ok: A secret for tokens is set");
  });

  test("prints for people what stands in its findings, without a secret, and a sum", async () => {
    const { code, stdout } = await runCommand(["doctor", "akosha"], { folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^This machine\n {2}ok {4}Node .*\n/);
    expect(stdout).toMatch(/\n\nakosha\n {2}ok {4}"settings\/akosha\.yaml" is valid\n/);
    expect(stdout).toMatch(/\n\n\d+ ok, 0 to look at, 0 failed\n$/);
    expect(stdout).not.toContain(SECRET);
    expect(stdout).not.toContain("\u001b");
  });

  test("finds settings that it does not run with", async () => {
    const other = join(scratch.folder, "other-settings");
    await mkdir(join(other, "settings"), { recursive: true });
    await mkdir(join(other, "data"));
    await writeFile(join(other, "data/akosha.db"), `SQLite format 3\0${"x".repeat(4_096)}`, { mode: 0o600 });
    const settings = JSON.parse(await readFile(join(folder, "settings/akosha.yaml"), "utf8"));
    settings.origins = { allowed: ["https://b.example"] };
    settings.hosts = { allowed: ["live.example"] };
    settings.auth.secret = "another secret, as long as it has to be for a token";
    await writeFile(join(other, "settings/akosha.yaml"), JSON.stringify(settings));
    const { of, notOk } = await examined(other);
    expect(notOk()).toEqual([
      "storage.path",
      "storage.file",
      "server.version",
      "server.origins",
      "server.hosts",
    ]);
    expect(of("storage.path")).toMatch(
      /^warn: akosha runs, and does not use ".*data\/akosha\.db": it was started/,
    );
    expect(of("storage.file")).toMatch(/^fail: .* is damaged: /);
    expect(of("server.origins")).toContain(
      "fail: It refuses pages of https://b.example, which origins.allowed holds → ",
    );
    expect(of("server.hosts")).toContain(
      "fail: It refuses requests to live.example, which hosts.allowed holds → ",
    );
    expect(of("server.version")).toMatch(
      /^warn: Its version cannot be told: it wants a token, or a better one → use the secret/,
    );
  });

  test("tells what a token of the environment is worth", async () => {
    const make = (expiresInSeconds: number, secret = SECRET) =>
      createToken({
        secret,
        userId: "u",
        permissions: ["akosha:read"],
        expiresInSeconds,
        clock: systemClock,
      });
    const told = async (token: string) => {
      const { found, of } = await examined(folder, { environment: { MCP_REALTIME_TOKEN: token } });
      expect(JSON.stringify(found)).not.toContain(token);
      return of("auth.token");
    };
    expect(await told(await make(86_400))).toMatch(
      /^ok: The token in MCP_REALTIME_TOKEN is good until \d{4}-/,
    );
    expect(await told(await make(60))).toMatch(/^warn: .* is good only until .* → make a new one/);
    expect(await told(await make(-600))).toBe(
      "fail: The token in MCP_REALTIME_TOKEN has expired → make a new one: mcp-realtime token create --service akosha",
    );
    expect(await told(await make(600, "x".repeat(40)))).toMatch(
      /^fail: .* forged, malformed, or not meant for akosha/,
    );
    expect(await told("no token")).toMatch(/^fail: /);
  });
});

describe("doctor, of settings and ports", { timeout: PATIENCE_MS }, () => {
  test("names every fault of the settings with its place, and looks no further", async () => {
    const folder = await folderWith({ websocket: { prot: 1 }, http: { port: "x" } });
    const { found, of } = await examined(folder);
    expect(of("settings").split("\n")).toHaveLength(2);
    expect(of("settings")).toMatch(
      /^fail: settings\/akosha\.yaml:1: .*did you mean "port"\? → correct it; every setting/m,
    );
    expect(found.filter(({ service }) => service === "akosha")).toHaveLength(2);
    const missing = await examined(folder, { words: ["akosha", "--settings", "nowhere.yaml"] });
    expect(missing.of("settings")).toContain('expected a file, got "nowhere.yaml", which does not exist');
  });

  test("tells who has a port: a stranger, another service, or what speaks no HTTP", async () => {
    const web = await stranger(() => ({ status: 404, body: "nothing" }));
    const other = await stranger(() => ({ body: JSON.stringify({ status: "healthy", server: "dhruva" }) }));
    const folder = await folderWith({ websocket: { port: web }, http: { port: other } });
    const { of } = await examined(folder);
    const holder = process.platform === "linux" ? `, \\S+ \\(process ${process.pid}\\)` : "";
    expect(of("ports.websocket")).toMatch(
      new RegExp(
        `^fail: Port ${web} on 127.0.0.1 is held by another program${holder}: it answers HTTP 404, and not as a ` +
          "service does → stop that, or choose another port \\(setting websocket.port of akosha, or flag --port\\)$",
      ),
    );
    expect(of("ports.http")).toMatch(/^fail: .*: "dhruva" answers there → .*--http-port\)$/);
    const mute = createServer((socket) => socket.end("220 mail\r\n"));
    servers.push(mute);
    await new Promise<void>((resolve) => mute.listen(0, "127.0.0.1", resolve));
    const port = (mute.address() as { port: number }).port;
    const mail = await examined(await folderWith({ http: { port } }));
    expect(mail.of("ports.http")).toMatch(/^fail: .*it does not speak HTTP → /);
  });

  test("finds a host that is none of this machine, and two services that want one port", async () => {
    const elsewhere = await examined(
      await folderWith({ http: { host: "192.0.2.1", port: await freePort() }, allow_insecure: true }),
    );
    expect(elsewhere.of("ports.http")).toMatch(/^fail: Port \d+ on 192\.0\.2\.1 .*→ /);
    const folder = await folderWith({});
    const { websocket } = JSON.parse(await readFile(join(folder, "settings/akosha.yaml"), "utf8"));
    await writeFile(
      join(folder, "settings/dhruva.yaml"),
      JSON.stringify({ websocket, http: { port: await freePort() } }),
    );
    const both = await examined(folder, { words: ["akosha", "dhruva"] });
    expect(both.of("settings.shared")).toBe(
      `fail: The settings of dhruva and of akosha both name port ${websocket.port} → set websocket.port of one of them to another`,
    );
  });

  test("says where relative paths count from, where the settings lie elsewhere", async () => {
    const [folder, away] = [await folderWith({}), await folderWith({})];
    const words = ["akosha", "--settings", join(away, "settings/akosha.yaml")];
    expect((await examined(folder, { words })).of("settings.folder")).toBe(
      `warn: Relative paths of the settings count from "${folder}", where there is no "data/akosha.db" → run doctor in ` +
        "the folder that the service is started in, if that is another one",
    );
    await mkdir(join(folder, "data"));
    await writeFile(join(folder, "data/akosha.db"), "");
    expect((await examined(folder, { words })).of("settings.folder")).toMatch(/^ok: /);
    expect((await examined(away)).of("settings.folder")).toBe("");
  });

  test("refuses words that are no services, and flags that do not go together", async () => {
    const folder = await folderWith({});
    const wrong = await runCommand(["doctor", "akoscha"], { folder });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('did you mean "akosha"?')]);
    const many = await runCommand(["doctor", "--settings", "a.yaml"], { folder });
    expect([many.code, many.stderr]).toEqual([2, "--settings: expected with one service, got 0: name one\n"]);
  });
});

describe("doctor, of a server that is not like this one", { timeout: PATIENCE_MS }, () => {
  test("finds another version, a clock that is wrong, and one that is not ready", async () => {
    const answer = (path: string) => {
      const timestamp = new Date(Date.now() - 90_000).toISOString();
      if (path === "/health") {
        return { body: JSON.stringify({ status: "healthy", server: "akosha", timestamp }) };
      }
      if (path === "/ready") {
        return { status: 503, body: JSON.stringify({ reason: "An event did not come back" }) };
      }
      return {
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 1,
          result: { serverInfo: { name: "akosha", version: "0.0.7" } },
        }),
      };
    };
    const [websocket, http] = [await stranger(answer), await stranger(answer)];
    const { of } = await examined(await folderWith({ websocket: { port: websocket }, http: { port: http } }));
    expect(of("server.version")).toBe(
      `warn: It is of version 0.0.7, and this is ${VERSION} → start it again with this version, or use the command line of that one`,
    );
    expect(of("server.clock")).toMatch(/^warn: Its clock is (89|90|91) seconds behind this machine's → /);
    expect(of("server.ready")).toMatch(/^fail: It is not ready: An event did not come back → /);
    expect(of("server.origins")).toMatch(/^fail: It lets in a web page of a strange origin → /);
  });
});

describe("doctor, of what services need beside themselves", { timeout: PATIENCE_MS }, () => {
  test("finds that git is missing", async () => {
    const folder = await folderWith({}, "session-buddy");
    const words = ["session-buddy"];
    const { of } = await examined(folder, { words, environment: { PATH: join(folder, "nothing") } });
    expect(of("tools.git")).toBe(
      "warn: There is no git: checkpoints will not tell of branch and changes → install git",
    );
  });

  test("finds projects of crackerjack that cannot be tested", async () => {
    const folder = await folderWith({
      crackerjack: {
        roots: ["code", "elsewhere"],
        projects: {
          good: { path: "good", command: ["node", "--test"] },
          lost: { path: "lost", command: ["node", "--test"] },
          bare: { path: "good", command: ["no-such-program-77", "test"] },
          snake: { path: "good", command: ["./python3", "-m", "pytest"] },
        },
      },
    }, "crackerjack");
    await mkdir(join(folder, "code/good"), { recursive: true });
    // A Python that has no pytest.
    await writeFile(join(folder, "code/good/python3"), "#!/bin/sh\necho False\n", { mode: 0o755 });
    const { of } = await examined(folder, { words: ["crackerjack"] });
    expect(of("tools.roots")).toMatch(
      /^ok: Folder "code"[^]*\nfail: "elsewhere" \(crackerjack\.roots\) is not there → /,
    );
    const [good, lost, bare, snake] = of("tools.project").split("\n");
    expect(good).toBe("ok: Project good can be tested, by node");
    expect(lost).toMatch(/^fail: .*lost/);
    expect(bare).toMatch(
      /^fail: Project bare is tested by no-such-program-77, which is not there → install it/,
    );
    expect(snake).toMatch(/^fail: Project snake is tested by pytest, which \.\/python3 does not have → /);
  });

  test("finds folders of mahavishnu and targets of dhruva that are not there", async () => {
    const workflows = await examined(
      await folderWith(
        { mahavishnu: { working_directory: "away", definitions: "settings/mahavishnu.yaml" } },
        "mahavishnu",
      ),
      { words: ["mahavishnu"] },
    );
    expect(workflows.of("tools.working_directory")).toMatch(
      /^fail: "away" \(mahavishnu\.working_directory\) is not there/,
    );
    expect(workflows.of("tools.definitions")).toMatch(/^fail: "settings\/mahavishnu\.yaml" is no folder/);
    const adapters = await examined(
      await folderWith({ dhruva: { targets: { backup: { folder: "away" } } } }, "dhruva"),
      { words: ["dhruva"] },
    );
    expect(adapters.of("tools.target")).toMatch(/^fail: "away" \(dhruva\.targets\.backup\) is not there/);
  });
});
