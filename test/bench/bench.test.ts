import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

function bench(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const words = ["--import", "./test/support/typescript-hooks.mjs", "bench/main.ts", ...args];
  const child = spawn("node", words, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (stderr += text));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

describe("npm run bench", { timeout: 300_000 }, () => {
  test("measures real servers, loses nothing and prints one table", async () => {
    const { code, stdout, stderr } = await bench("--only", "durable,requests", "--rounds", "1");
    expect(stderr).toMatch(/^measuring durable\nmeasuring requests\n$/);
    expect(stdout).toMatch(/^.+ cores, \d+ GiB, Linux .+\nNode \d.+\nmcp-realtime \d.+\n/);
    expect(stdout).toMatch(
      /state and one event to 500 by a request.*\n {2}mcp-realtime, Node +[\d,]+ +[\d,.]+/,
    );
    expect(stdout).toMatch(/holds +lost: state and one event/);
    expect(stdout).toMatch(/\n\d of \d bars hold\n$/);
    expect(code).toBe(0);
  });

  test("says what it can measure, and refuses what it cannot", async () => {
    expect(await bench("--help")).toMatchObject({ code: 0, stderr: "" });
    const refused = await bench("--only", "fan-out-7");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/^Expected --only to name suites of fan-out-10, .*, got 'fan-out-7'\n/);
    expect((await bench("--rounds", "0")).stderr).toMatch(
      /^Expected --rounds to be a whole number above 0, got '0'\n/,
    );
    for (const wrong of [["--fast"], ["--json"], ["durable"], ["--json", "no-such-folder/figures.json"]]) {
      const { code, stdout, stderr } = await bench(...wrong);
      expect([wrong, code, stdout]).toEqual([wrong, 2, ""]);
      expect(stderr).toMatch(/^.+\n\nUsage: npm run bench/);
      expect(stderr).not.toMatch(/^ +at /m);
    }
  });
});
