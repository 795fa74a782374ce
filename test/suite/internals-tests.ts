/**
 * What a service says when its own database fails it: an id that the log explains, at each door, and nothing of its
 * inner life.
 *
 * @module
 */
import { rm } from "node:fs/promises";
import { dirname } from "node:path";
import { toJsonSchema } from "@valibot/to-json-schema";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RequestSpec } from "../../src/protocol/contract.ts";
import { sqliteEngine } from "../../src/runtimes/sqlite-driver.ts";
import { SeededRandom } from "../fuzz/seeded-random.ts";
import { type JsonSchema, Known, validInput } from "../fuzz/valid-inputs.ts";
import { connectClient, type ConnectedClient } from "../mcp/mcp-client.ts";
import { FrameClient } from "../support/frame-client.ts";
import { post } from "../support/http-client.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

/** Inputs of each request. */
const ROUNDS = 12;

/** Words of SQLite, lines of a stack, files of ours. */
const INTERNALS =
  /sqlite|no such (table|column)|constraint|\b(SELECT|INSERT|UPDATE|DELETE)\b|^\s+at |\.[jt]s\b|node_modules|Error:/m;

export function internalsTests(service: ServiceDescription): void {
  const { contract } = new service.Server().service;
  const requests = Object.entries(contract.requests as Readonly<Record<string, RequestSpec>>);

  describe("a database that fails", () => {
    let running: RunningService;
    let path: string;
    let client: FrameClient;
    let agent: ConnectedClient;
    let known: Known;

    beforeAll(async () => {
      running = await startService(service, { websocket: { message_rate_limit: 0 } });
      path = running.server.settings.storage.path;
      known = new Known({
        [contract.channels[service.channel.split(":")[0]!]?.id ?? ""]: [
          service.channel.slice(service.channel.indexOf(":") + 1),
        ],
      });
      for (const request of [...service.prepare, service.trigger(0)]) {
        known.learn(request.data);
        known.learn(await running.request(request) as Record<string, unknown>);
      }
      client = await FrameClient.open(running.url);
      agent = await connectClient(`${running.http}/mcp`);
      await dropTables(path);
    });
    afterAll(async () => {
      await client?.close();
      await agent?.client.close();
      // It may say that it could not be stopped in order.
      await running?.stop().catch(() => {});
      if (path) await rm(dirname(path), { recursive: true, force: true });
    });

    it("is told by an id alone, whatever is asked at whichever door", async () => {
      const random = new SeededRandom(6);
      const told: string[] = [];
      for (const [name, { input }] of requests) {
        const schema = toJsonSchema(input, { typeMode: "input", errorMode: "ignore" }) as JsonSchema;
        for (let round = 0; round < ROUNDS; round++) {
          const data = validInput(schema, random, known) as Record<string, unknown>;
          const frame = await client.request(name, data);
          if (frame.error_code !== null) told.push(`${frame.error_code}: ${frame.error_message}`);
          const { status, body } = await post(`${running.http}/api/requests/${name}`, data);
          if (status !== 200) told.push(`${body.error_code}: ${body.error_message}`);
          const { isError, content } = await agent.call(name, data);
          if (isError) told.push(content[0]!.text);
        }
      }
      const faults = told.filter((text) => text.startsWith("SERVER_ERROR"));
      expect(faults.length).toBeGreaterThan(0);
      for (const text of faults) {
        expect(text).toMatch(/^SERVER_ERROR: Internal error: the log explains it under [0-9a-f-]{36}(\n|$)/);
        expect(running.log.join("\n")).toContain(/[0-9a-f-]{36}/.exec(text)![0]);
      }
      expect(told.filter((text) => INTERNALS.test(text) || text.includes(dirname(path)))).toEqual([]);
    });
  });
}

async function dropTables(path: string): Promise<void> {
  const database = (await sqliteEngine())(path);
  database.exec("PRAGMA foreign_keys = OFF");
  const list = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
  const isVirtual = ({ sql }: { sql: string | null }) => /^CREATE VIRTUAL/i.test(sql ?? "");
  // The tables behind a virtual one go with it.
  for (const wanted of [true, false]) {
    for (
      const { name } of list.all<{ name: string; sql: string | null }>().filter((row) =>
        isVirtual(row) === wanted
      )
    ) {
      if (!name.startsWith("sqlite_")) database.exec(`DROP TABLE "${name}"`);
    }
  }
  database.close();
}
