import { expect, it } from "vitest";
import { settingsReader } from "../../src/server/read-settings.ts";
import { NO_FLAGS } from "../../src/settings/flags.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import type { Service } from "../../src/service/define-service.ts";

const serviceNamed = (name: string) =>
  ({
    contract: defineContract({
      name,
      ports: { http: 1_001, websocket: 1_002 },
      channels: {},
      events: {},
      requests: {},
    }),
  }) as unknown as Service;

/** Files that are texts under their paths. */
function reader(texts: Record<string, string>, ...names: string[]) {
  const files = {
    readText: (path: string) => Promise.resolve(texts[path]),
    resolve: (path: string) => `/here/${path.replace(/^\.\//, "")}`,
  };
  return settingsReader(names.map(serviceNamed), { files, environment: {} } as never, NO_FLAGS);
}

it("takes a settings file that is gone or empty for a fault, where it said something before", async () => {
  const texts: Record<string, string> = { "/here/settings/one.yaml": "log: { level: debug }\n" };
  const read = reader(texts, "one");
  expect((await read())[0]!.settings.log.level).toBe("debug");
  texts["/here/settings/one.yaml"] = "\n";
  await expect(read()).rejects.toThrow(
    "settings/one.yaml: expected the settings file that was there before, got an empty one: put it back, or start again without it",
  );
  delete texts["/here/settings/one.yaml"];
  await expect(read()).rejects.toThrow("got no file: put it back");
  texts["/here/settings/one.yaml"] = "# the defaults\n";
  expect((await read())[0]!.settings.log.level).toBe("info");
});

it("does not miss a settings file that has never been there", async () => {
  const texts: Record<string, string> = {};
  const read = reader(texts, "one");
  await read();
  texts["/here/settings/one.yaml"] = "";
  await read();
  delete texts["/here/settings/one.yaml"];
  expect(await read()).toHaveLength(1);
});

it("lets no two services have one database, however they write its path", async () => {
  const storage = (path: string) => `storage: { path: "${path}" }\n`;
  const texts = {
    "/here/settings/one.yaml": storage("data/all.db"),
    "/here/settings/two.yaml": storage("./data/all.db"),
    "/here/settings/three.yaml": storage("data/three.db"),
  };
  await expect(reader(texts, "one", "two", "three")()).rejects.toThrow(
    'Settings of two: storage.path: expected a database of its own, got "./data/all.db", which one has',
  );
  const apart = {
    "/here/settings/one.yaml": storage(":memory:"),
    "/here/settings/two.yaml": storage(":memory:"),
  };
  expect(await reader(apart, "one", "two")()).toHaveLength(2);
});
