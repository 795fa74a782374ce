/**
 * The house rules of ARCHITECTURE.md, read off the sources, so that nothing but a change of this file can soften them.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import {
  clockFaults,
  cycleFaults,
  fileFaults,
  floorFaults,
  type House,
  loadedBy,
  packageFaults,
  roomOf,
  runtimeNameFaults,
  serviceFaults,
} from "./support/architecture-rules.ts";
import { readSource } from "./support/read-source.ts";

const HOUSE: House = {
  floors: {
    protocol: 0,
    ports: 0,
    client: 1,
    auth: 1,
    broker: 1,
    limits: 1,
    logging: 1,
    metrics: 1,
    recording: 1,
    runtimes: 1,
    settings: 1,
    storage: 1,
    rooms: 2,
    connection: 3,
    service: 3,
    dashboard: 4,
    mcp: 4,
    server: 5,
    services: 6,
    cli: 7,
    "mod.ts": 7,
  },
  // What goes through the sockets in the wall is said in the words of the protocol.
  doors: [["ports", "protocol"]],
  visitors: {
    client: ["cli", "dashboard", "mcp", "services"],
    services: ["cli"],
  },
  closed: {
    client: ["protocol", "ports"],
    recording: ["protocol", "ports"],
  },
  packages: {
    protocol: ["valibot"],
    // Its types know valibot; of the rest, `client-size.test.ts` sees to it that no browser loads it.
    client: ["valibot", "ws"],
  },
};

const root = fileURLToPath(new URL("..", import.meta.url));

function pathsIn(folder: string): string[] {
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .map((name) => `${folder}/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts"))
    .sort();
}

const sources = ["mod.ts", ...pathsIn("src"), ...pathsIn("services")]
  .map((path) => readSource(path, readFileSync(`${root}${path}`, "utf8")));

const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8"));
const dependencies = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }));

describe("the house", () => {
  test("is not empty", () => {
    expect(sources.length).toBeGreaterThan(20);
  });

  test("imports only from lower floors", () => {
    expect(floorFaults(sources, HOUSE)).toEqual([]);
  });

  test("imports only packages that it depends on, and in the pure rooms only valibot", () => {
    expect(packageFaults(sources, HOUSE, dependencies)).toEqual([]);
  });

  test("has no cycle between files", () => {
    expect(cycleFaults(sources)).toEqual([]);
  });

  test("names a runtime in its runtimes, its command line and its entry points only", () => {
    expect(runtimeNameFaults(sources)).toEqual([]);
  });

  test("reads the time from the clock only", () => {
    expect(clockFaults(sources)).toEqual([]);
  });

  test("has named exports, telling file names and no long file", () => {
    expect(fileFaults(sources)).toEqual([]);
  });

  test("keeps contracts and managers free of servers", () => {
    expect(serviceFaults(sources)).toEqual([]);
  });

  test("loads no runtime, command or service through its front door", () => {
    // `detect` waits with its imports until it knows where it is.
    const loaded = [...loadedBy("mod.ts", sources)].filter((path) => path !== "src/runtimes/detect.ts");
    expect(loaded.filter((path) => /^(src\/(runtimes|cli)|services)\//.test(path))).toEqual([]);
  });
});

describe("ARCHITECTURE.md", () => {
  test("has a row for every room, and for no other", () => {
    const page = readFileSync(`${root}ARCHITECTURE.md`, "utf8");
    const table = page.slice(page.search(/^\| room +\|/m), page.indexOf("`mod.ts` is the front door"));
    const described = [...table.matchAll(/^\| `([a-z]+)` +\|/gm)].map((match) => match[1]);
    const rooms = new Set(
      sources.filter(({ path }) => path.startsWith("src/")).map(({ path }) => roomOf(path)),
    );
    expect(described.sort()).toEqual([...rooms].sort());
  });
});

/** Made-up files, as the rules see them. */
function planted(files: Record<string, string>) {
  return Object.entries(files).map(([path, text]) => readSource(path, text));
}

describe("floorFaults()", () => {
  const faults = (path: string, text: string) => floorFaults(planted({ [path]: text }), HOUSE);

  test("catches an import upwards, in every form that an import has", () => {
    const expected = [
      "src/rooms/hub.ts: imports upwards, from 'rooms' (2) to 'server' (5)",
    ];
    for (
      const text of [
        `import { run } from "../server/run.ts";`,
        `import type { Run } from "../server/run.ts";`,
        `import "../server/run.ts";`,
        `export { run } from "../server/run.ts";`,
        `export * from "../server/run.ts";`,
        `const run = await import("../server/run.ts");`,
        `let run: import("../server/run.ts").Run;`,
      ]
    ) expect(faults("src/rooms/hub.ts", text), text).toEqual(expected);
  });

  test("catches an import sideways", () => {
    expect(faults("src/auth/token.ts", `import { limit } from "../limits/limits.ts";`)).toEqual([
      "src/auth/token.ts: imports sideways, from 'auth' (1) to 'limits' (1)",
    ]);
  });

  test("catches a room without a floor and an import from outside the house", () => {
    expect(faults("src/attic/box.ts", "")).toEqual(["src/attic/box.ts: room 'attic' has no floor"]);
    expect(faults("src/rooms/hub.ts", `import "../../test/support/fake-clock.ts";`)).toHaveLength(1);
  });

  test("catches a visitor of the client, and a client that knows more than protocol and ports", () => {
    expect(faults("src/server/run.ts", `import "../client/client.ts";`)).toEqual([
      "src/server/run.ts: 'client' is not for 'server'",
    ]);
    expect(faults("src/client/client.ts", `import "../auth/token.ts";`)).toEqual([
      "src/client/client.ts: 'client' may not import 'auth'",
    ]);
    expect(faults("src/mcp/tools.ts", `import "../client/client.ts";`)).toEqual([]);
  });

  test("catches a service that is imported by anything but the command line", () => {
    expect(faults("src/server/run.ts", `import "../../services/dhruva/mod.ts";`)).toHaveLength(1);
    expect(faults("mod.ts", `export * from "./services/dhruva/mod.ts";`)).toHaveLength(1);
    expect(faults("src/cli/serve.ts", `import "../../services/dhruva/mod.ts";`)).toEqual([]);
  });

  test("allows an import downwards and within a room, and ignores comments and strings", () => {
    const text = `import "../ports/clock.ts";\nimport "./presence.ts";\n// import "../server/run.ts";\n` +
      'const s = \'import "../server/run.ts"\'; const t = `import("../server/run.ts")`;';
    expect(faults("src/rooms/hub.ts", text)).toEqual([]);
  });
});

describe("packageFaults()", () => {
  const faults = (path: string, text: string) =>
    packageFaults(planted({ [path]: text }), HOUSE, new Set(["hono", "valibot", "@hono/node-ws"]));

  test("catches a package in a pure room and one that is not depended on", () => {
    expect(faults("src/protocol/codec.ts", `import { Hono } from "hono";`)).toEqual([
      "src/protocol/codec.ts: imports package 'hono'",
    ]);
    expect(faults("src/server/run.ts", `import leftPad from "left-pad/now";`)).toEqual([
      "src/server/run.ts: imports package 'left-pad', which package.json does not depend on",
    ]);
    expect(faults("src/runtimes/node.ts", `import "@hono/node-ws/deep"; import "hono/ws";`)).toEqual([]);
  });
});

describe("cycleFaults()", () => {
  test("catches a cycle, also one of types, and tells it once", () => {
    const files = planted({
      "src/rooms/a.ts": `import "./b.ts";`,
      "src/rooms/b.ts": `import type { C } from "./c.ts";`,
      "src/rooms/c.ts": `export * from "./a.ts";`,
    });
    expect(cycleFaults(files)).toEqual([
      "cycle: src/rooms/a.ts → src/rooms/b.ts → src/rooms/c.ts → src/rooms/a.ts",
    ]);
  });
});

describe("runtimeNameFaults()", () => {
  const faults = (path: string, text: string) => runtimeNameFaults(planted({ [path]: text }));

  test("catches a runtime's name, however it is reached", () => {
    for (
      const text of [
        `Deno.exit(1);`,
        `const b = Bun;`,
        `if (typeof Deno !== "undefined") {}`,
        `console.log(process.env.HOME);`,
        `const { env } = process;`,
        `globalThis.process.exit();`,
        `let s: Deno.HttpServer;`,
        `import { readFileSync } from "node:fs";`,
        `import type { Socket } from "node:net";`,
        `const fs = await import("node:fs");`,
        `import { Database } from "bun:sqlite";`,
        `await import(["node", "fs"].join(":"));`,
      ]
    ) expect(faults("src/rooms/hub.ts", text), text).toHaveLength(1);
  });

  test("allows it on the ground, in comments, in strings and as a name of one's own", () => {
    const text = `import "node:fs"; Deno.exit(1); process.exit();`;
    expect(faults("src/runtimes/node.ts", text)).toEqual([]);
    expect(faults("src/cli/main.ts", text)).toEqual([]);
    expect(faults("services/dhruva/main.ts", text)).toEqual([]);
    expect(faults("services/dhruva/server.ts", text)).toHaveLength(3);
    expect(
      faults("src/rooms/hub.ts", `// Deno.exit()\nconst s = "node:fs"; row.process(); ({ process: 1 });`),
    )
      .toEqual([]);
  });
});

describe("clockFaults()", () => {
  const faults = (path: string, text: string) => clockFaults(planted({ [path]: text }));

  test("catches timers and clocks that do not come in by the door", () => {
    for (
      const text of [
        `setTimeout(() => {}, 1);`,
        `globalThis.setInterval(work, 1);`,
        `const at = Date.now();`,
        `globalThis.Date.now();`,
        `const { length } = [performance.now()];`,
      ]
    ) expect(faults("src/rooms/hub.ts", text), text).toHaveLength(1);
  });

  test("allows them behind the door, and dates that are made from a number", () => {
    expect(faults("src/ports/clock.ts", `setTimeout(work, Date.now());`)).toEqual([]);
    expect(faults("src/rooms/hub.ts", `new Date(clock.now()); // Date.now()`)).toEqual([]);
  });
});

describe("fileFaults()", () => {
  const faults = (path: string, text: string) => fileFaults(planted({ [path]: text }));

  test("catches a default export in each form", () => {
    for (
      const text of [
        `export default 1;`,
        `export default function run() {}`,
        `export default class {}`,
        `const a = 1; export { a as default };`,
        `export { default } from "./a.ts";`,
      ]
    ) expect(faults("src/rooms/hub.ts", text), text).toEqual(["src/rooms/hub.ts: has a default export"]);
    expect(faults("src/rooms/hub.ts", `switch (1) { default: }`)).toEqual([]);
  });

  test("catches a file of 401 lines and allows one of 400", () => {
    expect(faults("src/rooms/hub.ts", "\n".repeat(401))).toHaveLength(1);
    expect(faults("src/rooms/hub.ts", "\n".repeat(400))).toEqual([]);
  });

  test("catches names that say nothing or are not in kebab-case", () => {
    for (const name of ["utils", "helpers", "types", "common", "myHub", "my_hub"]) {
      expect(faults(`src/rooms/${name}.ts`, ""), name).toHaveLength(1);
    }
    expect(faults("src/protocol/common-requests.ts", "")).toEqual([]);
  });
});

describe("serviceFaults()", () => {
  const faults = (path: string, text: string) =>
    serviceFaults(planted({ [`services/dhruva/${path}`]: text }));

  test("catches a contract that knows more than the protocol", () => {
    expect(faults("contract.ts", `import * as v from "valibot"; import "../../src/protocol/contract.ts";`))
      .toEqual([]);
    for (const specifier of ["hono", "../../src/service/define-service.ts", "./manager.ts"]) {
      expect(faults("contract.ts", `import "${specifier}";`), specifier).toHaveLength(1);
    }
  });

  test("holds the files that a contract is made of to the same rule", () => {
    const files = {
      "services/dhruva/contract.ts": `import "./fields.ts";`,
      "services/dhruva/fields.ts": `import "../../src/ports/clock.ts";`,
    };
    expect(serviceFaults(planted(files))).toEqual([
      "services/dhruva/fields.ts: imports '../../src/ports/clock.ts': a contract speaks the protocol only",
    ]);
  });

  test("catches a manager, or a part of it, that knows a server", () => {
    const text =
      `import "../../src/ports/clock.ts"; import type { Manager } from "../../src/service/define-service.ts"; ` +
      `import "./contract.ts"; import "./versions.ts"; import "../../src/storage/migrations.ts";`;
    expect(faults("manager.ts", text)).toEqual([]);
    for (
      const specifier of [
        "hono",
        "@hono/node-ws",
        "../../src/server/run.ts",
        "../../src/rooms/hub.ts",
        "./server.ts",
      ]
    ) {
      expect(faults("manager.ts", `import "${specifier}";`), specifier).toHaveLength(1);
      expect(faults("versions.ts", `import "${specifier}";`), specifier).toHaveLength(1);
      expect(faults("server.ts", `import "${specifier}";`), specifier).toEqual([]);
    }
    expect(faults("manager.ts", `import "../../src/client/client.ts";`)).toHaveLength(1);
    expect(faults("feeds.ts", `import "../../src/client/client.ts";`)).toEqual([]);
  });

  test("catches a look into another service", () => {
    expect(faults("manager.ts", `import "../akosha/manager.ts";`)).toHaveLength(1);
    expect(faults("feeds.ts", `import "../akosha/contract.ts";`)).toEqual([]);
  });
});

describe("loadedBy()", () => {
  test("follows what is loaded at once, not types and not what waits", () => {
    const files = planted({
      "mod.ts": `export { a } from "./src/a.ts"; import type { B } from "./src/b.ts";`,
      "src/a.ts": `import { type C } from "./c.ts"; await import("./d.ts");`,
    });
    expect([...loadedBy("mod.ts", files)].sort()).toEqual(["mod.ts", "src/a.ts", "src/c.ts"]);
  });
});
