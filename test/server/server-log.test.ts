import { afterEach, expect, it, vi } from "vitest";
import { logOf } from "../../src/server/server-log.ts";

afterEach(() => vi.restoreAllMocks());

type Format = Parameters<typeof logOf>[0]["log"]["format"];

/** What stands on standard error, given what that is. */
function written(format: Format, terminal: { isTerminal: boolean; colors: boolean } | null): string {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
  const runtime = terminal && { terminal: () => terminal };
  logOf({ log: { level: "info", format } }, runtime, "notes").info("Hello", { port: 1 });
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

const LINE = /^\S+Z INFO {2}Hello service=notes port=1$/;
const PRETTY = /^\d\d:\d\d:\d\d\.\d{3} INFO {2}notes Hello port=1$/;

it("logOf writes lines by default where standard error is no terminal", () => {
  expect(written("auto", { isTerminal: false, colors: false })).toMatch(LINE);
  expect(written("auto", null)).toMatch(LINE);
});

it("logOf writes for a terminal by default where it is one, in colours where it may", () => {
  expect(written("auto", { isTerminal: true, colors: false })).toMatch(PRETTY);
  // deno-lint-ignore no-control-regex
  expect(written("auto", { isTerminal: true, colors: true })).toMatch(/^\u001b\[2m\d\d:.* port=1\u001b\[0m$/);
});

it("logOf writes as it is told to, whatever standard error is", () => {
  const terminal = { isTerminal: true, colors: true };
  expect(written("line", terminal)).toMatch(LINE);
  expect(JSON.parse(written("json", terminal))).toMatchObject({
    message: "Hello",
    service: "notes",
    port: 1,
  });
  expect(written("pretty", null)).toMatch(PRETTY);
});

it("logOf changes its level while it writes", () => {
  const lines: string[] = [];
  vi.spyOn(console, "error").mockImplementation((line) => void lines.push(line));
  const log = logOf({ log: { level: "error", format: "line" } }, null);
  log.debug("no");
  log.setLevel("debug");
  log.debug("yes");
  expect(lines).toEqual([expect.stringMatching(/Z DEBUG yes$/)]);
});
