import { beforeAll, describe, test } from "vitest";

describe("a group", () => {
  beforeAll(() => {
    throw new Error("Cannot be set up, on purpose");
  });
  test("never runs", () => {});
});
