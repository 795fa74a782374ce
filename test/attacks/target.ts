/**
 * What is attacked: the six services in one process, which take nobody without a token, and what they may reach.
 *
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createToken } from "../../src/auth/token.ts";
import { SERVICES } from "../../src/cli/services.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Contract } from "../../src/protocol/contract.ts";
import type { HttpRoute } from "../../src/service/http-route.ts";
import { type IssuerKey, KeyServer, keySetOf, makeKey } from "../support/issuer.ts";
import { type Ended, serve, type Serving } from "../support/serve-process.ts";
import type { RuntimeName } from "../support/start-program.ts";

export const ISSUER = "https://login.test";
/** What stands in files that nobody may be shown. */
export const SECRET_MARK = "TOP-SECRET";

export const CONNECTIONS_PER_ADDRESS = 60;
/**
 * The defaults, but for times that a test can wait for, and limits per address that hold on this machine, too.
 */
const LIMITS = {
  loopback_exempt: false,
  connections_per_address: CONNECTIONS_PER_ADDRESS,
  head_seconds: 3,
  request_seconds: 5,
  idle_seconds: 5,
  abuse_seconds: 2,
};
const HEARTBEAT = { interval_ms: 2_000, timeout_ms: 8_000 };
export const AUTH_DEADLINE_MS = 3_000;

export interface Service {
  readonly name: string;
  readonly contract: Contract;
  readonly routes: readonly Pick<HttpRoute<unknown>, "method" | "path" | "access">[];
  readonly http: string;
  readonly websocket: string;
}

/** What a process holds in memory, in MiB: now, and at most so far. */
export interface Memory {
  readonly now: number;
  readonly peak: number;
}

export class Target {
  readonly runtime: RuntimeName;
  /** Everything of the services lies in it: settings, databases, projects. */
  readonly folder: string;
  readonly secret: string;
  /** A key whose public half the services know. */
  readonly key: IssuerKey;
  readonly services: readonly Service[];
  readonly #program: Serving;
  readonly #keys: KeyServer;

  private constructor(
    runtime: RuntimeName,
    parts: { folder: string; secret: string; key: IssuerKey; services: Service[] },
    program: Serving,
    keys: KeyServer,
  ) {
    this.runtime = runtime;
    this.folder = parts.folder;
    this.secret = parts.secret;
    this.key = parts.key;
    this.services = parts.services;
    this.#program = program;
    this.#keys = keys;
  }

  /** For Node there must be a build. */
  static async start(runtime: RuntimeName): Promise<Target> {
    const folder = await mkdtemp(join(tmpdir(), `realtime-attacked-${runtime}-`));
    const key = await makeKey("RS256", "signing-key");
    const keys = await KeyServer.start(keySetOf(key));
    const secret = `only for this test, ${crypto.randomUUID()}`;
    try {
      await furnish(folder, { secret, keys: keys.url });
      const program = await serve(runtime, { folder, lifetimeMs: 600_000 });
      const services: Service[] = [];
      for (const [name, load] of Object.entries(SERVICES)) {
        const { contract, routes = [] } = await load();
        services.push({ name, contract, routes, ...addressesOf(program.stdout(), name) });
      }
      return new Target(runtime, { folder, secret, key, services }, program, keys);
    } catch (error) {
      await keys.stop();
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  service(name: string): Service {
    return this.services.find((service) => service.name === name)!;
  }

  /** A token that is good. */
  token(userId: string, permissions: readonly string[]): Promise<string> {
    return createToken({ secret: this.secret, userId, permissions, clock: systemClock });
  }

  log(): string {
    return this.#program.stderr();
  }

  async memory(): Promise<Memory> {
    const status = await readFile(`/proc/${this.#program.pid}/status`, "latin1");
    const mebibytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)![1]) / 1_024;
    return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
  }

  /** Ask it to end, and tell how it did. */
  async stop(): Promise<Ended> {
    this.#program.kill("SIGTERM");
    try {
      return await this.#program.ended;
    } finally {
      await this.#keys.stop();
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}

function addressesOf(announced: string, name: string): { http: string; websocket: string } {
  const [, websocket = "", http = ""] =
    new RegExp(`^${name}\\n  WebSocket +(\\S+)\\n  HTTP +(\\S+)$`, "m").exec(announced) ?? [];
  return { http, websocket };
}

/** Settings of each service, and the folders that they name, with a way out of each that must not be gone. */
async function furnish(folder: string, auth: { secret: string; keys: string }): Promise<void> {
  const own: Record<string, object> = {
    mahavishnu: { definitions: "workflows", working_directory: "work" },
    akosha: { feeds: {} },
    crackerjack: { roots: ["projects"] },
    dhruva: { targets: { shelf: { folder: "shelf" } } },
  };
  await mkdir(join(folder, "settings"));
  for (const name of Object.keys(SERVICES)) {
    const settings = {
      websocket: { port: 0 },
      http: { port: 0 },
      auth: {
        required: true,
        secret: auth.secret,
        jwks_url: auth.keys,
        issuer: ISSUER,
        audience: name,
        deadline_ms: AUTH_DEADLINE_MS,
      },
      limits: LIMITS,
      heartbeat: HEARTBEAT,
      storage: { path: `data/${name}.db` },
      shutdown: { drain_ms: 500 },
      ...(own[name] ? { [name]: own[name] } : {}),
    };
    // JSON is YAML.
    await writeFile(join(folder, "settings", `${name}.yaml`), JSON.stringify(settings));
  }
  for (const name of ["workflows", "work", "projects", "projects/shop", "shelf", "outside"]) {
    await mkdir(join(folder, name));
  }
  await writeFile(
    join(folder, "outside/secret.xml"),
    `<coverage lines-valid='2' lines-covered='1'><class filename='${SECRET_MARK}'/></coverage>`,
  );
  await writeFile(
    join(folder, "outside/secret.yaml"),
    `stages:\n  leak:\n    run: [echo, "${SECRET_MARK}"]\n`,
  );
  await writeFile(join(folder, "workflows/good.yaml"), "stages:\n  one:\n    run: [echo, done]\n");
  await writeFile(
    join(folder, "workflows/polluting.yaml"),
    "__proto__:\n  on_restart: resume\nstages:\n  one:\n    run: [echo, done]\n    __proto__: {retries: 99}\n" +
      "    env: {__proto__: x, constructor: {prototype: {retries: 99}}}\n",
  );
  await writeFile(
    join(folder, "projects/shop/coverage.xml"),
    "<coverage lines-valid='10' lines-covered='9'></coverage>",
  );
  await symlink(join(folder, "outside/secret.xml"), join(folder, "projects/shop/link.xml"));
  await symlink(join(folder, "outside"), join(folder, "projects/shop/way-out"));
  await symlink(join(folder, "outside"), join(folder, "projects/linked"));
  await symlink(join(folder, "outside/secret.yaml"), join(folder, "workflows/linked.yaml"));
  await symlink(join(folder, "outside"), join(folder, "workflows/way-out"));
}
