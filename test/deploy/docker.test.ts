/**
 * deploy/docker, as far as it can be looked at without building it (`container.test.ts` does): what it copies is there, what
 * it runs works.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SERVICES } from "../../src/cli/services.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { serveCommand } from "./serve-command.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dockerfile = await readFile(`${root}deploy/docker/Dockerfile`, "utf8");
const NAMES = Object.keys(SERVICES);
const TIMEOUT_MS = 120_000;

const scratch = useBuiltScratch();

/** An instruction and what stands behind it, by lines. */
const instructions = dockerfile.split("\n").filter((line) => /^[A-Z]+ /.test(line)).map((line) => {
  const [, word = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
  return { word, rest };
});
const all = (word: string) => instructions.filter((line) => line.word === word).map(({ rest }) => rest);

/** The command of an instruction in its exec form. */
const command = (text: string): string[] => JSON.parse(text.slice(text.indexOf("[")));

/** What the image would hold: what each COPY of the last stage brings, under its folder `/app`. */
async function makeImage(): Promise<string> {
  const app = join(scratch.folder, "app");
  if (existsSync(app)) return app;
  await mkdir(app);
  const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
  for (const [, from = "", to = ""] of last.matchAll(/^COPY (?:--from=build )?(\S+) (\S+)$/gm)) {
    const source = from.replace(/^\/app\//, "");
    const target = to === "./" ? source : to;
    // Too many to copy.
    if (source === "node_modules") await symlink(join(root, source), join(app, target));
    else await cp(join(root, source), join(app, target), { recursive: true });
  }
  return app;
}

describe("deploy/docker/Dockerfile", { timeout: TIMEOUT_MS }, () => {
  it("copies what there is, and nothing that .dockerignore keeps from it", async () => {
    const let_in = (await readFile(`${root}.dockerignore`, "utf8")).split("\n")
      .filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    const sources = all("COPY").filter((text) => !text.startsWith("--from=")).flatMap((text) =>
      text.split(" ").slice(0, -1)
    );
    expect(sources.length).toBeGreaterThan(5);
    for (const source of sources) expect(existsSync(join(root, source)), source).toBe(true);
    expect(sources.sort()).toEqual(let_in.sort());
  });

  it("runs as another user than root, in two stages of the Node that the project asks for", async () => {
    const [build = "", last = ""] = all("FROM");
    expect(all("FROM")).toHaveLength(2);
    for (const base of [build, last]) expect(base).toMatch(/^node:(22|24)-\w+-slim/);
    expect(all("USER")).toEqual(["node"]);
    expect(dockerfile.lastIndexOf("\nUSER ")).toBeLessThan(dockerfile.lastIndexOf("\nCMD "));
    const { scripts } = JSON.parse(await readFile(`${root}package.json`, "utf8"));
    for (const [, script = ""] of all("RUN").join("\n").matchAll(/npm run (\S+)/g)) {
      expect(Object.keys(scripts)).toContain(script);
    }
  });

  it("starts the service that SERVICE names, and its health check tells whether it is well", async () => {
    const app = await makeImage();
    const [check = ""] = all("HEALTHCHECK");
    const state = join(scratch.folder, "data");
    await mkdir(state);
    const here = (words: string[]) => words.map((word) => word.replaceAll("/app/", `${app}/`));
    const environment = { SERVICE: "akosha" };
    const program = await serveCommand(here(command(all("CMD").at(-1)!)), {
      folder: state,
      service: "akosha",
      environment,
    });
    const { port } = new URL(program.http);
    const health = () => {
      const [node = "", ...args] = here(command(check));
      const env = { ...process.env, ...environment, AKOSHA_HTTP_PORT: port };
      return new Promise<number | string | null | undefined>((resolve) =>
        execFile(node, args, { env }, (error) => resolve(error ? error.code : 0))
      );
    };
    expect(await health()).toBe(0);
    expect(existsSync(join(state, "data/akosha.db"))).toBe(true);
    // The shell has made room for the service, so that the signal comes to it.
    program.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    expect(await health()).toBe(1);
  });
});

describe("deploy/docker/compose.yaml", () => {
  it("serves each service from a volume of its own, and waits for a stop", async () => {
    const { services, volumes } = parse(await readFile(`${root}deploy/docker/compose.yaml`, "utf8"), {
      merge: true,
    });
    expect(Object.keys(services)).toEqual(["caddy", ...NAMES]);
    for (const name of NAMES) {
      expect(services[name]).toMatchObject({
        environment: { SERVICE: name },
        volumes: [`${name}:/data`],
        network_mode: "service:caddy",
        stop_grace_period: "30s",
      });
      expect(Object.keys(volumes)).toContain(name);
    }
    const [caddyfile = ""] = services.caddy.volumes[0].split(":");
    expect(existsSync(join(root, "deploy/docker", caddyfile))).toBe(true);
  });
});
