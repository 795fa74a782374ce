/** For `test/scripts/closing-line.test.ts`: runs the cases of this folder, which are no tests of the project. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { ClosingLine } from "../../../scripts/closing-line.mjs";

export default defineConfig({
  test: {
    include: ["*.case.ts"],
    root: fileURLToPath(new URL(".", import.meta.url)),
    reporters: ["default", new ClosingLine()],
  },
});
