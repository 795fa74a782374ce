import { defineConfig } from "vitest/config";
import { ClosingLine } from "./scripts/closing-line.mjs";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    // A forgotten `.only` would leave tests out in silence.
    allowOnly: process.env.REQUIRE_ALL !== "1",
    reporters: ["default", new ClosingLine()],
  },
});
