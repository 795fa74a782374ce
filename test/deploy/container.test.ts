/**
 * deploy/docker/Dockerfile, built and run: by Buildah, from a base image that is made of this machine's Node.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { childProcesses } from "../support/child-processes.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { freePorts, serveCommand } from "./serve-command.ts";
import { hasBuildah, type ImageConfig, ImageStore } from "./image-store.ts";

const DOCKERFILE = fileURLToPath(new URL("../../deploy/docker/Dockerfile", import.meta.url));
/** It installs the packages and builds. */
const BUILD_MS = 600_000;
const TIMEOUT_MS = 120_000;

const canRun = requireOrSkip("Buildah", hasBuildah, "apt-get install buildah, and be root");

const scratch = useBuiltScratch();

describe.runIf(canRun)("an image of deploy/docker/Dockerfile", { timeout: TIMEOUT_MS }, () => {
  let store: ImageStore;
  let container: string;
  let config: ImageConfig;
  beforeAll(async () => {
    const folder = join(scratch.folder, "images");
    await mkdir(folder);
    store = new ImageStore(folder);
    const [, base = ""] = /^FROM (\S+) AS build$/m.exec(await readFile(DOCKERFILE, "utf8")) ?? [];
    await store.makeNodeImage(`docker.io/library/${base}`);
    await store.build(DOCKERFILE, "mcp-realtime");
    container = await store.container("localhost/mcp-realtime");
    config = await store.config(container);
  }, BUILD_MS);

  it("has a user, a volume and a folder of its own, and no package that only its build needs", async () => {
    expect(config).toMatchObject({ User: "node", WorkingDir: "/data", Volumes: { "/data": {} } });
    const count = "console.log(require('node:fs').readdirSync('/app/node_modules').join())";
    const packages = (await store.run(container, ["node", "-e", count])).trim().split(",");
    expect(packages).toContain("hono");
    for (const name of ["typescript", "vitest", "rolldown", "deno", "bun"]) {
      expect(packages).not.toContain(name);
    }
  });

  it("serves what SERVICE names, is found well, keeps its data, and stops in order", async () => {
    const service = "excalidraw";
    const { environment: ports, http } = await freePorts(service);
    const environment = { SERVICE: service, ...ports };
    const serving = await serveCommand(store.command(container, config.Cmd, environment), {
      folder: scratch.folder,
      service,
    });
    expect((await get(`${http}/health`)).status).toBe(200);
    const check = ["node", "/app/health.mjs"];
    await store.run(container, check, environment);
    await expect(store.run(container, check, { ...environment, EXCALIDRAW_HTTP_PORT: "1" })).rejects.toThrow(
      "ECONNREFUSED",
    );
    const look =
      "const s = require('node:fs').statSync('data/excalidraw.db'); console.log(s.uid, s.mode & 0o777)";
    expect(await store.run(container, ["node", "-e", look])).toBe(`1000 ${0o600}\n`);
    // As an engine does: to the first process of the container, which the shell has made room for.
    process.kill(firstProcess(serving.pid), "SIGTERM");
    expect(await serving.ended).toBe(0);
    await serving.logged("Server stopped");
  });
});

/** The process at the end of the line of those that Buildah starts one by another. */
function firstProcess(pid: number): number {
  const child = childProcesses(pid).at(-1);
  return child === undefined ? pid : firstProcess(child);
}
