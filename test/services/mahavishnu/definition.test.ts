import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Definition,
  type DefinitionResult,
  readDefinition,
} from "../../../services/mahavishnu/domain/definition.ts";
import { locate } from "../../../services/mahavishnu/domain/located.ts";
import type { JsonValue } from "../../../src/protocol/json.ts";
import { readYaml } from "../../../src/settings/read-yaml.ts";

const context = { file: "flow.yaml", name: "flow", pools: ["default", "gpu"] };

function read(text: string): DefinitionResult {
  const { root, problems } = readYaml(text, context.file);
  expect(problems).toEqual([]);
  return readDefinition(root, context);
}

function definition(text: string): Definition {
  const result = read(text);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.definition;
}

function problems(text: string): readonly string[] {
  const result = read(text);
  return result.ok ? [] : result.problems;
}

describe("a definition", () => {
  test("takes every key of a workflow and of a stage", () => {
    expect(definition(`
name: Nightly build
description: All of it
on_restart: resume
pool: gpu
stages:
  fetch:
    run: [git, fetch, --depth, 1, true]
  build:
    run: make | tee log
    shell: true
    needs: [fetch, fetch]
    timeout: 90s
    retries: 3
    env: { MODE: fast, LEVEL: 3, DEBUG: false }
    cwd: sources/app
    continue_on_error: true
    pool: default
`)).toEqual({
      name: "Nightly build",
      description: "All of it",
      onRestart: "resume",
      stages: [
        {
          name: "fetch",
          command: ["git", "fetch", "--depth", "1", "true"],
          needs: [],
          timeoutMs: null,
          retries: 0,
          environment: {},
          folder: null,
          continueOnError: false,
          pool: "gpu",
        },
        {
          name: "build",
          command: ["sh", "-c", "make | tee log"],
          needs: ["fetch"],
          timeoutMs: 90_000,
          retries: 3,
          environment: { MODE: "fast", LEVEL: "3", DEBUG: "false" },
          folder: "sources/app",
          continueOnError: true,
          pool: "default",
        },
      ],
    });
  });

  test("has the file's name, the first pool, and fails on a restart, where it does not say otherwise", () => {
    expect(definition("stages: { one: { run: [true] } }")).toMatchObject({
      name: "flow",
      description: null,
      onRestart: "fail",
      stages: [{ pool: "default" }],
    });
  });

  test("takes a key without a value for one that was left out", () => {
    const text =
      "description:\non_restart:\nstages:\n  one:\n    run: [x]\n    needs:\n    timeout:\n    env:\n";
    expect(definition(text)).toEqual(definition("stages: { one: { run: [x] } }"));
  });
});

const stage = (line: string) => `stages:\n  one:\n    run: [x]\n    ${line}\n`;

test.each<[fault: string, text: string, told: string]>([
  ["nothing at all", "", "flow.yaml:1: expected a map with the key stages, got nothing"],
  ["a list", "- a", "flow.yaml:1: expected a map with the key stages, got a list"],
  ["no stages", "name: x", "flow.yaml:1: stages: expected a map of stages, got nothing"],
  [
    "stages that are nothing",
    "name: x\nstages:",
    "flow.yaml:2: stages: expected a map of stages, got nothing",
  ],
  ["stages that are none", "stages: {}", "flow.yaml:1: stages: expected 1 to 100 stages, got 0"],
  [
    "an unknown key",
    "stages: { one: { run: [x] } }\nstage: 1",
    'flow.yaml:2: expected only the keys name, description, on_restart, pool, stages, got "stage"',
  ],
  ["a name that is empty", `name: ""\n${stage("")}`, 'flow.yaml:1: name: expected a text, got ""'],
  [
    "an on_restart of its own making",
    `on_restart: retry\n${stage("")}`,
    'flow.yaml:1: on_restart: expected resume or fail, got "retry"',
  ],
  [
    "an unknown pool",
    `pool: big\n${stage("")}`,
    'flow.yaml:1: pool: expected a pool of default, gpu, got "big"',
  ],
  [
    "a stage's unknown pool",
    stage("pool: 7"),
    "flow.yaml:4: stages.one.pool: expected a pool of default, gpu, got 7",
  ],
  [
    "an unknown key of a stage",
    stage("retry: 1"),
    "flow.yaml:4: stages.one: expected only the keys run, shell, needs, timeout, retries, env, cwd, " +
    'continue_on_error, pool, got "retry"',
  ],
  [
    "a stage that is a text",
    "stages:\n  one: make",
    'flow.yaml:2: stages.one: expected a map with the key run, got "make"',
  ],
  [
    "a stage's name with a blank",
    "stages:\n  a b:\n    run: [x]",
    "flow.yaml:2: stages.a b: expected a name of at most 64 letters, digits, _, . and -, got another",
  ],
  [
    "no command",
    "stages:\n  one:\n    needs: []",
    "flow.yaml:2: stages.one.run: expected a list of command and arguments, got nothing",
  ],
  [
    "a command line without shell",
    "stages:\n  one:\n    run: make all",
    'flow.yaml:3: stages.one.run: expected a list of command and arguments (or shell: true), got "make all"',
  ],
  [
    "an empty command",
    "stages:\n  one:\n    run: []",
    "flow.yaml:3: stages.one.run: expected a command first, got none",
  ],
  [
    "an empty program",
    'stages:\n  one:\n    run: [""]',
    "flow.yaml:3: stages.one.run: expected a command first, got none",
  ],
  [
    "an argument that is a map",
    "stages:\n  one:\n    run: [x, {}]",
    "flow.yaml:3: stages.one.run[1]: expected a text without the character NUL, got a map",
  ],
  [
    "an argument with NUL",
    'stages:\n  one:\n    run: [x, "a\\0"]',
    'flow.yaml:3: stages.one.run[1]: expected a text without the character NUL, got "a\\u0000"',
  ],
  [
    "an argument that is nothing",
    "stages:\n  one:\n    run: [x, ~]",
    "flow.yaml:3: stages.one.run[1]: expected a text, got nothing",
  ],
  [
    "a list for a shell",
    "stages:\n  one:\n    run: [x]\n    shell: true",
    "flow.yaml:3: stages.one.run: expected a command line, as shell is true, got a list",
  ],
  [
    "nothing for a shell",
    "stages:\n  one:\n    shell: true",
    "flow.yaml:2: stages.one.run: expected a command line, got nothing",
  ],
  [
    "a shell that is no truth value",
    stage("shell: yes please"),
    'flow.yaml:4: stages.one.shell: expected true or false, got "yes please"',
  ],
  [
    "needs that are no list",
    stage("needs: two"),
    'flow.yaml:4: stages.one.needs: expected a list of stages, got "two"',
  ],
  [
    "an unknown need where there is no other stage",
    stage("needs: [two]"),
    'flow.yaml:4: stages.one.needs: expected no need, as there is no other stage, got "two"',
  ],
  [
    "an unknown need",
    `${stage("needs: [fetsch]")}  fetch:\n    run: [x]`,
    'flow.yaml:4: stages.one.needs: expected one of fetch, got "fetsch"',
  ],
  [
    "a stage that needs itself",
    stage("needs: [one]"),
    "flow.yaml:4: stages.one.needs: expected no circle, got one → one",
  ],
  [
    "a circle",
    `${stage("needs: [two]")}  two:\n    run: [x]\n    needs: [one]`,
    "flow.yaml:4: stages.one.needs: expected no circle, got one → two → one",
  ],
  [
    "a timeout without a unit",
    stage('timeout: "5"'),
    'flow.yaml:4: stages.one.timeout: expected a time like 500ms, 30s, 5m or 1h, or a number of seconds, up to 168h, got "5"',
  ],
  [
    "a timeout of nothing",
    stage("timeout: 0"),
    "flow.yaml:4: stages.one.timeout: expected a time like 500ms, 30s, 5m or 1h, or a number of seconds, up to 168h, got 0",
  ],
  [
    "too many retries",
    stage("retries: 101"),
    "flow.yaml:4: stages.one.retries: expected a whole number from 0 to 100, got 101",
  ],
  [
    "half a retry",
    stage("retries: 0.5"),
    "flow.yaml:4: stages.one.retries: expected a whole number from 0 to 100, got 0.5",
  ],
  [
    "variables that are a list",
    stage("env: [A=1]"),
    "flow.yaml:4: stages.one.env: expected a map of variables, got a list",
  ],
  [
    "a variable's odd name",
    stage("env: { A-B: 1 }"),
    "flow.yaml:4: stages.one.env: expected names of letters, digits and _, got another",
  ],
  [
    "a variable that is a list",
    stage("env: { A: [] }"),
    "flow.yaml:4: stages.one.env.A: expected a text without the character NUL, got an empty list",
  ],
  ["an empty folder", stage('cwd: ""'), 'flow.yaml:4: stages.one.cwd: expected a folder\'s path, got ""'],
  [
    "a continue_on_error that is no truth value",
    stage("continue_on_error: 1"),
    "flow.yaml:4: stages.one.continue_on_error: expected true or false, got 1",
  ],
])("a definition with %s is refused with file and line", (_, text, told) => {
  expect(problems(text)).toEqual([told]);
});

test("all faults of a definition are told, not the first alone", () => {
  expect(problems("on_restart: no\nstages:\n  one:\n    retries: -1\n  two: []\n")).toHaveLength(4);
});

test("a definition may have 100 stages and no more", () => {
  const text = (count: number) =>
    `stages:\n${Array.from({ length: count }, (_, index) => `  s${index}: { run: [x] }\n`).join("")}`;
  expect(definition(text(100)).stages).toHaveLength(100);
  expect(problems(text(101))).toEqual(["flow.yaml:1: stages: expected 1 to 100 stages, got 101"]);
});

describe("readDefinition", () => {
  const key = fc.oneof(
    fc.constantFrom("name", "on_restart", "pool", "stages", "run", "shell", "needs", "env", "__proto__"),
    fc.string(),
  );
  const { tree } = fc.letrec<{ tree: JsonValue }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.string(),
      fc.array(tie("tree"), { maxLength: 4 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
    ),
  }));

  function expectJudged(result: DefinitionResult, place: RegExp): void {
    if (result.ok) {
      expect(JSON.parse(JSON.stringify(result.definition))).toEqual(result.definition);
      expect(result.definition.stages.length).toBeGreaterThan(0);
    } else {
      expect(result.problems.length).toBeGreaterThan(0);
      for (const problem of result.problems) expect(problem).toMatch(place);
    }
  }

  test("judges any JSON and never throws", () => {
    const likely = fc.record({ stages: fc.dictionary(fc.constantFrom("a", "b"), tree) });
    fc.assert(
      fc.property(fc.oneof(tree, likely), (value) => {
        expectJudged(readDefinition(locate(value as JsonValue), context), /^flow\.yaml: /);
      }),
      { numRuns: 500 },
    );
  });

  test("judges any text and never throws", () => {
    const line = fc.oneof(
      fc.constantFrom(
        "stages:",
        "  one:",
        "    run: [x]",
        "    needs: [one]",
        "- x",
        "    env:",
        "&a *a",
        "? [x]",
      ),
      fc.string(),
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(line).map((lines) => lines.join("\n")),
      tree.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(text, (text) => {
        const { root, problems } = readYaml(text, context.file);
        const result = readDefinition(root, context);
        // What the reader has refused it has told, and a definition says nothing of it.
        if (problems.length === 0) expectJudged(result, /^flow\.yaml:\d+: /);
      }),
      { numRuns: 500 },
    );
  });

  test("judges a value of a hundred thousand levels", () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    const result = readDefinition(locate({ stages: { one: { run: deep } } }), context);
    expect(result.ok).toBe(false);
  });
});
