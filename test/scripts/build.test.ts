import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { isBuilt, sourceStamp } from "../../scripts/build.mjs";
import { buildOnce } from "../support/build-once.ts";

const dist = fileURLToPath(new URL("../../dist", import.meta.url));
const services = readdirSync(new URL("../../services", import.meta.url));

describe("A build", () => {
  beforeAll(buildOnce, 120_000);

  test("is known to be made from these sources", () => {
    expect(isBuilt(sourceStamp())).toBe(true);
    expect(isBuilt("others")).toBe(false);
  });

  test.each(["src/cli/main.js", ...services.map((name) => `services/${name}/main.js`)])(
    "may be executed: %s",
    (program) => expect((statSync(`${dist}/${program}`).mode & 0o777).toString(8)).toBe("755"),
  );

  test("holds the package's program, which runs by its name alone", () => {
    const { status, stdout } = spawnSync(`${dist}/src/cli/main.js`, ["--version"], { encoding: "utf8" });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)]);
  }, 60_000);
});
