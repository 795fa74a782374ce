import { getLogger } from "@logtape/logtape";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { LogFormat } from "../../src/logging/formats.ts";
import { serviceLog, type ServiceLogOptions } from "../../src/logging/service-log.ts";
import type { Log } from "../../src/ports/log.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
const FORGED = "a\n2026-01-01T00:00:00.000Z ERROR forged\r\u2028b\u009b31m\u001b[2J\u202e\u0000";
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

function written(format: LogFormat, options: Partial<ServiceLogOptions> = {}) {
  const lines: string[] = [];
  const log = serviceLog({
    service: "notes",
    level: "debug",
    format,
    clock: { now: () => NOW },
    write: (line) => lines.push(line),
    ...options,
  });
  return { lines, log };
}

describe("serviceLog", () => {
  it("writes a line of time, level, sentence, service and facts", () => {
    const { log, lines } = written("line");
    log.warn("It is so", { port: 1, name: "a b", missing: undefined });
    expect(lines).toEqual(['2026-01-02T03:04:05.006Z WARN  It is so service=notes port=1 name="a b"']);
  });

  it("writes an object of JSON per line, whose facts cannot take the place of what each has", () => {
    const { log, lines } = written("json");
    log.warn("It is so", { port: 1, big: 5n, message: "mine", level: "none", missing: undefined });
    log.error("It failed", { error: new Error("why", { cause: new Error("that is why") }) });
    expect(JSON.parse(lines[0]!)).toEqual({
      "@timestamp": "2026-01-02T03:04:05.006Z",
      level: "WARN",
      message: "It is so",
      logger: "mcp-realtime.notes",
      service: "notes",
      port: 1,
      big: "5",
      field_message: "mine",
      field_level: "none",
    });
    expect(JSON.parse(lines[1]!).error).toMatch(/^Error: why\n[^]*\ncaused by: Error: that is why\n/);
  });

  it("writes for a terminal: the time of day, the service, and stacks below, indented", () => {
    const { log, lines } = written("pretty");
    log.info("It is so", { port: 1 });
    log.error("It failed", { error: new Error(FORGED), port: 2 });
    expect(lines[0]).toMatch(/^\d\d:04:05\.006 INFO {2}notes It is so port=1$/);
    const [head, ...stack] = lines[1]!.split("\n");
    expect(head).toMatch(/ ERROR notes It failed port=2$/);
    expect(stack.length).toBeGreaterThan(1);
    for (const line of stack) expect(line).toMatch(/^ {4}\S|^ {8}/);
  });

  it("uses colours for a terminal only where it may", () => {
    const [plain, coloured] = [written("pretty"), written("pretty", { colors: true })];
    for (const { log } of [plain, coloured]) log.warn("It is so", { port: 1 });
    // deno-lint-ignore no-control-regex
    const COLOURS = /\u001b\[[\d;]*m/g;
    expect(plain.lines[0]).not.toMatch(COLOURS);
    expect(coloured.lines[0]).toMatch(COLOURS);
    expect(coloured.lines[0]!.replaceAll(COLOURS, "")).toBe(plain.lines[0]);
  });

  it.each(["line", "json", "pretty"] as const)(
    "writes one safe line as %s, whatever the parts hold",
    (format) => {
      const { log, lines } = written(format);
      log.info(FORGED, { reason: FORGED, ["k\n"]: { deep: FORGED }, list: [FORGED] });
      expect(lines).toHaveLength(1);
      expect(lines[0]).not.toMatch(UNSAFE);
    },
  );

  it.each(["line", "json", "pretty"] as const)("shows no token as %s", (format) => {
    const { log, lines } = written(format);
    const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    log.info(`With ${token}`, { token: "very-secret", reason: `Bearer ${token}`, error: new Error(token) });
    expect(lines[0]).not.toContain("very-secret");
    expect(lines[0]).not.toContain(token.slice(4, 20));
  });

  it.each(["line", "json", "pretty"] as const)("writes as %s what throws when it is looked at", (format) => {
    const { log, lines } = written(format);
    log.info("It is so", {
      odd: {
        toJSON() {
          throw new Error("no");
        },
      },
    });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("It is so");
  });

  it("takes no sentence for a template", () => {
    const { log, lines } = written("line");
    log.info("{port} %s %o", { port: 1 });
    expect(lines[0]).toMatch(/INFO {2}\{port\} %s %o service=notes port=1$/);
  });

  it("writes from its level on, which setLevel changes", () => {
    const { log, lines } = written("line", { level: "warn" });
    log.info("no");
    log.warn("yes");
    log.setLevel("debug");
    log.debug("now");
    expect(lines.map((line) => /\w+ (?=service)/.exec(line)![0])).toEqual(["yes ", "now "]);
  });

  it("names no service where there is none", () => {
    const lines: string[] = [];
    serviceLog({ level: "info", format: "json", write: (line) => lines.push(line) }).info("Hello");
    expect(JSON.parse(lines[0]!)).toMatchObject({ logger: "mcp-realtime", message: "Hello" });
    expect(JSON.parse(lines[0]!)).not.toHaveProperty("service");
  });

  it("can be replaced by a logger of LogTape, as that is one too", () => {
    expectTypeOf(getLogger("app")).toExtend<Log>();
  });
});
