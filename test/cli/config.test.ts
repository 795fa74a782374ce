/**
 * `mcp-realtime config`, as a person runs it.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
// @ts-types="@modelcontextprotocol/sdk/validation/ajv"
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { SERVICES } from "../../src/cli/services.ts";
import { useBuiltScratch } from "../support/built-scratch.ts";
import { runCommand } from "../support/command-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

const PATIENCE_MS = 120_000;
const SECRET = "a secret that only this file knows";
const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = useBuiltScratch();

let folder: string;
beforeAll(async () => {
  folder = join(scratch.folder, "config");
  await mkdir(join(folder, "settings"), { recursive: true });
  await writeFile(
    join(folder, "settings/dhruva.yaml"),
    `http:
  port: 9000
auth:
  secret: "${SECRET}"
dhruva:
  keep_versions: 3
  targets:
    far: { url: "https://far.example.org/{sha256}", token: "${SECRET}" }
`,
  );
  await writeFile(join(folder, "settings/akosha.yaml"), "websocket:\n  prot: 1\n  host: 7\n");
});

const run = (words: string[], runtime: RuntimeName = "node", environment: Record<string, string> = {}) =>
  runCommand(["config", ...words], { folder, runtime, environment });

describe.each<RuntimeName>(["node", "deno", "bun"])("config, on %s", { timeout: PATIENCE_MS }, (runtime) => {
  it.skipIf(!hasRuntime(runtime))(
    "check tells each fault with file, line, path, value and what was expected",
    async () => {
      const { code, stdout, stderr } = await run(["check"], runtime);
      expect(code).toBe(2);
      expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toEqual([
        ["session-buddy", "right", "no file: the defaults hold"],
        ["mahavishnu", "right", "no file: the defaults hold"],
        ["akosha", "2 wrong", "settings/akosha.yaml"],
        ["crackerjack", "right", "no file: the defaults hold"],
        ["dhruva", "right", "settings/dhruva.yaml"],
        ["excalidraw", "right", "no file: the defaults hold"],
        [""],
      ]);
      expect(stderr).toBe(
        'settings/akosha.yaml:2: websocket.prot: expected a setting of "websocket", got "prot", did you mean "port"?\n' +
          "settings/akosha.yaml:3: websocket.host: expected a host name or an IP address, got 7\n",
      );
    },
  );

  it.skipIf(!hasRuntime(runtime))("show prints what holds, where it comes from, and no secret", async () => {
    const { code, stdout, stderr } = await run(["show", "dhruva"], runtime, { DHRUVA_PORT: "9010" });
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("\n  port: 9000  # settings/dhruva.yaml:2\n");
    expect(stdout).toContain("  port: 9010  # DHRUVA_PORT\n");
    expect(stdout).toContain('  secret: "(set, not shown)"  # settings/dhruva.yaml:4\n');
    expect(stdout).toContain("dhruva:  # settings/dhruva.yaml:5\n");
    expect(stdout).not.toContain(SECRET);
    const settings = parse(stdout);
    expect(settings).toMatchObject({ http: { port: 9000 }, websocket: { port: 9010 }, broker: "memory" });
    expect(settings.dhruva).toMatchObject({
      keep_versions: 3,
      targets: { far: { token: "(set, not shown)" } },
    });
    const json = await run(["show", "dhruva", "--json"], runtime, { DHRUVA_PORT: "9010" });
    expect(JSON.parse(json.stdout)).toEqual(settings);
  });

  it.skipIf(!hasRuntime(runtime))("schema prints what a validator takes the shipped files by", async () => {
    for (const service of runtime === "node" ? Object.keys(SERVICES) : ["dhruva"]) {
      const { code, stdout, stderr } = await run(["schema", service], runtime);
      expect([code, stderr]).toEqual([0, ""]);
      const validate = new AjvJsonSchemaValidator().getValidator(JSON.parse(stdout));
      const shipped = parse(await readFile(join(root, `settings/${service}.yaml`), "utf8"));
      expect(validate(shipped)).toMatchObject({ valid: true });
      expect(validate({ ...shipped, websocket: { prot: 1 } })).toMatchObject({ valid: false });
      expect(validate({ ...shipped, http: { port: "many" } })).toMatchObject({ valid: false });
    }
  });
});

describe("config", { timeout: PATIENCE_MS }, () => {
  it("check looks at one file where that is named", async () => {
    await writeFile(join(folder, "other.yaml"), "log:\n  level: loud\n");
    const { code, stdout, stderr } = await run(["check", "mahavishnu", "--settings", "other.yaml", "--json"]);
    expect([code, stderr]).toEqual([2, ""]);
    const problem = 'other.yaml:2: log.level: expected one of "debug", "info", "warn", "error", got "loud"';
    expect(JSON.parse(stdout)).toEqual({
      service: "mahavishnu",
      file: "other.yaml",
      problems: [problem],
      warnings: [],
    });
    expect(await run(["check", "mahavishnu"])).toMatchObject({ code: 0, stderr: "" });
  });

  it("show leaves out the query of an address, which may be a secret", async () => {
    const file = `auth: { jwks_url: "https://keys.example.org/set?code=${SECRET}" }`;
    await writeFile(join(folder, "keys.yaml"), file);
    for (const form of [[], ["--json"]]) {
      const { code, stdout } = await run(["show", "excalidraw", "--settings", "keys.yaml", ...form]);
      expect([code, stdout.includes("https://keys.example.org/set?…"), stdout.includes(SECRET)])
        .toEqual([0, true, false]);
    }
  });

  it("check warns of a variable that is probably misspelt", async () => {
    const environment = { DHRUVA_PRT: SECRET, DHRUVA_PORT: "9010", DHRUVA_SITE: "dhruva.example.org" };
    const { code, stderr } = await run(["check", "dhruva"], "node", environment);
    expect([code, stderr]).toEqual([
      0,
      "DHRUVA_PRT: nothing reads this variable, did you mean DHRUVA_PORT?\n",
    ]);
  });

  it("show tells what keeps settings from holding", async () => {
    const { code, stdout, stderr } = await run(["show", "akosha"]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("settings/akosha.yaml:2: websocket.prot: ");
  });
});
