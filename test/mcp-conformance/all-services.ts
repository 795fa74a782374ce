/**
 * All six services as one real process, each with settings under which every one of its tools has something to do.
 *
 * @module
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { buildOnce } from "../support/build-once.ts";
import { makeScratch, serve, type Serving } from "../support/serve-process.ts";

export type ServiceName = keyof typeof SERVICE_PORTS;

export const SERVICE_NAMES = Object.keys(SERVICE_PORTS) as ServiceName[];

export interface ServiceAddresses {
  readonly websocket: string;
  readonly http: string;
  readonly mcp: string;
}

export interface AllServices {
  readonly process: Serving;
  readonly addresses: ReadonlyMap<string, ServiceAddresses>;
  stop(): Promise<void>;
}

/** Blocks of the settings that are not the default, by service. */
const OWN: Readonly<Record<string, unknown>> = {
  // Else it looks for services on the ports of this machine that others may use.
  akosha: { feeds: {} },
  crackerjack: {
    roots: ["projects"],
    projects: { endless: { path: "endless", command: ["node", "tests.mjs"], runner: "tap" } },
  },
  mahavishnu: { definitions: "workflows" },
};

const FILES: Readonly<Record<string, string>> = {
  "projects/app/README.md": "A project",
  // This and the workflow of the same name go on until they are cancelled.
  "projects/endless/tests.mjs": "setInterval(() => {}, 1000);",
  "workflows/endless.yaml": JSON.stringify({
    stages: { wait: { run: ["node", "-e", "setInterval(() => {}, 1000)"] } },
  }),
};

/** On Node: a build is made where it is missing or old. */
export async function startAllServices(): Promise<AllServices> {
  await buildOnce();
  const scratch = await makeScratch();
  const write = async (path: string, text: string) => {
    const file = join(scratch.folder, path);
    await mkdir(join(file, ".."), { recursive: true });
    await writeFile(file, text);
  };
  for (const [path, text] of Object.entries(FILES)) await write(path, text);
  for (const name of SERVICE_NAMES) {
    const settings = { development: true, ...name in OWN && { [name]: OWN[name] } };
    // JSON is YAML.
    await write(`settings/${name}.yaml`, JSON.stringify(settings));
  }
  const args = ["--port", "0", "--http-port", "0"];
  const process = await serve("node", { args, folder: scratch.folder, lifetimeMs: 900_000 });
  return {
    process,
    addresses: addressesIn(process.stdout()),
    async stop() {
      process.kill("SIGTERM");
      await process.ended;
      await scratch.remove();
    },
  };
}

/** A service's name on a line, then its addresses, indented. */
function addressesIn(text: string): Map<string, ServiceAddresses> {
  const found = text.matchAll(
    /^([\w-]+)\n {2}WebSocket +(\S+)\n {2}HTTP +(\S+)\n {2}MCP +(\S+)$/gm,
  );
  return new Map(
    [...found].map((
      [, name, websocket, http, mcp],
    ) => [name!, { websocket: websocket!, http: http!, mcp: mcp! }]),
  );
}
