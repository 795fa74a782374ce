import { test } from "vitest";

test("passes", () => {});
test("passes too", () => {});
test.skip("is left out", () => {});
