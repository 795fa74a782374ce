import { describe, expect, test } from "vitest";
import { runnerOf, withFilter, withReporter } from "../../../../services/crackerjack/domain/run-plan.ts";
import type { Runner } from "../../../../services/crackerjack/domain/settings.ts";

const words = (text: string) => text.split(" ");

describe("runnerOf", () => {
  test.each<[string, Runner]>([
    ["vitest run", "vitest"],
    ["/srv/app/node_modules/.bin/vitest", "vitest"],
    ["npx vitest run", "vitest"],
    ["npx --yes vitest", "vitest"],
    ["pnpm exec vitest", "vitest"],
    ["node node_modules/vitest/vitest.mjs run", "vitest"],
    ["C:\\tools\\vitest.cmd run", "vitest"],
    ["pytest -q", "pytest"],
    ["py.test", "pytest"],
    ["pytest-3", "pytest"],
    ["python -m pytest", "pytest"],
    ["/usr/bin/python3.11 -B -m pytest -x", "pytest"],
    ["uv run pytest", "pytest"],
    ["poetry run python -m pytest", "pytest"],
    ["coverage run -m pytest", "pytest"],
    ["node --test", "node"],
    ["node --import tsx --test a.test.ts", "node"],
    ["deno test -A", "deno"],
    ["npm test", "command"],
    ["node test.js", "command"],
    ["node --test-only", "command"],
    ["deno run test", "command"],
    ["python -m unittest", "command"],
    ["vitest-like", "command"],
    ["make check", "command"],
  ])("%s is %s", (command, runner) => {
    expect(runnerOf(words(command))).toBe(runner);
  });

  test("an empty command is one that we know nothing of", () => {
    expect(runnerOf([])).toBe("command");
  });
});

describe("withFilter", () => {
  const filtered = (runner: Runner, command: string, filter: string | null) =>
    withFilter({ runner, command: words(command) }, filter).command;

  test("is one argument in the runner's own way, whatever its text", () => {
    expect(filtered("vitest", "vitest run", "a b; rm")).toEqual([
      "vitest",
      "run",
      "--testNamePattern=a b; rm",
    ]);
    expect(filtered("pytest", "python -m pytest", "-x")).toEqual(["python", "-m", "pytest", "-k-x"]);
    expect(filtered("node", "node --test a.js", "x")).toEqual([
      "node",
      "--test",
      "--test-name-pattern=x",
      "a.js",
    ]);
    expect(filtered("deno", "deno test -A", "x")).toEqual(["deno", "test", "--filter=x", "-A"]);
  });

  test("stands in front of --, and for npm behind it", () => {
    expect(filtered("vitest", "vitest run -- a", "x")).toEqual(
      words("vitest run --testNamePattern=x -- a"),
    );
    expect(filtered("vitest", "npm test", "x")).toEqual(words("npm test -- --testNamePattern=x"));
    expect(filtered("vitest", "npm test -- a", "x")).toEqual(words("npm test -- a --testNamePattern=x"));
  });

  test("changes nothing where there is none", () => {
    expect(filtered("junit", "make check", null)).toEqual(["make", "check"]);
  });

  test.each<Runner>(["junit", "tap", "command"])("is refused for %s", (runner) => {
    expect(() => filtered(runner, "make check", "x")).toThrow(
      expect.objectContaining({
        code: "INVALID_DATA",
        message: expect.stringContaining("takes no filter of ours"),
      }),
    );
  });

  test("is refused where the command has no place for it", () => {
    expect(() => filtered("node", "npm test", "x")).toThrow(
      expect.objectContaining({
        code: "NOT_AVAILABLE",
        message: expect.stringContaining("expected the word --test"),
      }),
    );
  });
});

describe("withReporter", () => {
  const paths = { reporter: "/tmp/r.mjs", junit: "/tmp/j.xml" };
  const reported = (runner: Runner, command: string) =>
    withReporter({ runner, command: words(command) }, paths, "live").join(" ");

  test("adds ours beside what people read", () => {
    expect(reported("vitest", "vitest run")).toBe("vitest run --reporter=default --reporter=/tmp/r.mjs");
    expect(reported("pytest", "pytest -- a")).toBe("pytest -p live -- a");
    expect(reported("node", "node --import x --test a.js")).toBe(
      "node --import x --test --test-reporter=spec --test-reporter-destination=stdout " +
        "--test-reporter=/tmp/r.mjs --test-reporter-destination=stderr a.js",
    );
    expect(reported("deno", "deno test -A")).toBe("deno test --junit-path=/tmp/j.xml -A");
  });

  test.each<Runner>(["junit", "tap", "command"])("leaves a command of %s as it is", (runner) => {
    expect(reported(runner, "make check")).toBe("make check");
  });

  test("refuses a command that has no place for it, and never starts another program", () => {
    for (const [runner, command] of [["node", "npm test"], ["deno", "make check"]] as const) {
      expect(() => reported(runner, command)).toThrow(expect.objectContaining({ code: "NOT_AVAILABLE" }));
    }
  });
});
