/**
 * What each request of the contract wants of its caller, at each door.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Access } from "../../src/protocol/contract.ts";
import { connectClient, type ConnectedClient } from "../mcp/mcp-client.ts";
import { FrameClient } from "../support/frame-client.ts";
import { post } from "../support/http-client.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

const SECRET = "only for this test";
const HOLDERS: readonly Access[] = ["read", "write", "run", "admin"];

/** Sends a request without data and says how it is answered: no request is fulfilled by that, but some queries. */
type Door = (request: string) => Promise<string>;

export function permissionTests(service: ServiceDescription): void {
  const { contract } = new service.Server().service;
  const requests = Object.entries(contract.requests as Record<string, { access: Access }>);

  describe("permissions", () => {
    let running: RunningService;
    const doors = new Map<Access, Record<"websocket" | "http" | "mcp", Door>>();
    const clients: { close(): Promise<unknown> }[] = [];

    beforeAll(async () => {
      running = await startService(service, { auth: { required: true, secret: SECRET } });
      for (const holder of HOLDERS) {
        const permissions = [`${service.name}:${holder}`];
        const token = await createToken({ secret: SECRET, userId: holder, permissions, clock: systemClock });
        const headers = { authorization: `Bearer ${token}` };
        const client = await FrameClient.open(running.url, { headers });
        const agent = await connectClient(`${running.http}/mcp`, headers);
        clients.push(client, agent.client);
        doors.set(holder, {
          websocket: websocketDoor(client),
          http: async (name) =>
            (await post(`${running.http}/api/requests/${name}`, {}, headers)).body.error_code ?? "answered",
          mcp: mcpDoor(agent),
        });
      }
    });
    afterAll(async () => {
      for (const client of clients) await client.close();
      await running.stop();
    });

    it.each(requests)("%s is for those who hold what it wants, and for admins", async (name, { access }) => {
      for (const holder of HOLDERS) {
        const isAllowed = holder === access || holder === "admin";
        for (const [door, ask] of Object.entries(doors.get(holder)!)) {
          const answer = await ask(name);
          expect(answer.startsWith("FORBIDDEN"), `${holder} by ${door}: ${answer}`).toBe(!isAllowed);
        }
      }
    });
  });
}

function websocketDoor(client: FrameClient): Door {
  return async (name) => (await client.request(name)).error_code ?? "answered";
}

function mcpDoor({ call }: ConnectedClient): Door {
  return async (name) => {
    const { isError, content } = await call(name);
    return isError ? content[0]?.text ?? "nothing" : "answered";
  };
}
