import { expect, it } from "vitest";
import { lineLog, LogSwitch, silentLog } from "../../src/ports/log.ts";
import { fieldsText, safeText } from "../../src/ports/log-text.ts";

function written(level?: "debug" | "info" | "warn" | "error") {
  const lines: string[] = [];
  return { lines, log: lineLog({ ...(level ? { level } : {}), write: (line) => lines.push(line) }) };
}

it("lineLog writes time, level, sentence and facts", () => {
  const { log, lines } = written();
  log.warn("It is so", { port: 1, name: "a b", missing: undefined, list: [1] });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z WARN {2}It is so port=1 name="a b" list=\[1\]$/);
});

it("lineLog writes from its level on, which setLevel changes", () => {
  const { log, lines } = written();
  const all = () => {
    lines.length = 0;
    for (const level of ["debug", "info", "warn", "error"] as const) log[level](level);
    return lines.map((line) => line.split(" ").at(-1));
  };
  expect(all()).toEqual(["info", "warn", "error"]);
  log.setLevel("error");
  expect(all()).toEqual(["error"]);
  log.setLevel("debug");
  expect(all()).toEqual(["debug", "info", "warn", "error"]);
});

it("lineLog writes one line, whatever a message, a field or an error holds", () => {
  const { log, lines } = written();
  const forged = "a\n2026-01-01T00:00:00.000Z ERROR forged\r\u2028b\u009b31m\u001b[2J\u202e";
  log.info(forged, { [`k\n`]: forged, error: new Error(forged), at: { deep: forged } });
  expect(lines).toHaveLength(1);
  // deno-lint-ignore no-control-regex
  expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
  expect(lines[0]).toContain("\\n2026");
});

it("lineLog tells an error with its stack and what caused it", () => {
  const { log, lines } = written();
  log.error("It failed", { error: new Error("outer", { cause: new TypeError("inner", { cause: "root" }) }) });
  expect(lines[0]).toMatch(/error="Error: outer\\n.*caused by: TypeError: inner\\n.*caused by: root"$/);
});

it("lineLog writes what cannot be written as JSON all the same", () => {
  const { log, lines } = written();
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  log.info("Odd", { big: 5n, circle, symbol: Symbol("s"), nothing: null });
  expect(lines[0]).toMatch(/ Odd big="5" circle="\[cannot be shown\]" symbol=Symbol\(s\) nothing=null$/);
});

it("fieldsText hides fields that are named like secrets, and shortens long values", () => {
  expect(fieldsText({ token: "abc", auth_secret: 5, api_keys: ["x"], tokens_used: 7 })).toBe(
    " token=[secret] auth_secret=[secret] api_keys=[secret] tokens_used=7",
  );
  const long = fieldsText({ long: "x".repeat(100_000) });
  expect(long.length).toBeLessThan(9_000);
  expect(long).toContain("91808 more characters");
});

it("safeText leaves out tokens wherever they stand, and nothing else", () => {
  const token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
  expect(safeText(`with ${token}, and ${token.replace("c2ln", "")}!`)).toBe("with [token], and [token]!");
  expect(safeText("Authorization: Bearer abcdefgh12345==")).toBe("Authorization: Bearer [token]");
  const plain = "The bearer of eyJ.x is at https://a.b/c?d=e, \u00e4\u{1f600}";
  expect(safeText(plain)).toBe(plain);
});

it("LogSwitch writes to the log that it was turned to last", () => {
  const [first, second] = [written(), written()];
  const log = new LogSwitch(first.log);
  log.info("one");
  log.turn(second.log);
  log.warn("two");
  log.error("three");
  log.turn(silentLog);
  log.error("four");
  expect(first.lines).toHaveLength(1);
  expect(second.lines.map((line) => line.split(" ").at(-1))).toEqual(["two", "three"]);
});

it("lineLog goes on where nothing can be written", () => {
  const lines: string[] = [];
  let isFull = true;
  const log = lineLog({
    write(line) {
      if (isFull) throw new Error("No space left on device");
      lines.push(line);
    },
  });
  log.error("lost");
  isFull = false;
  log.error("there");
  expect(lines.map((line) => line.split(" ").at(-1))).toEqual(["there"]);
});
