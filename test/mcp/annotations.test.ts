import * as v from "valibot";
import { describe, expect, test } from "vitest";
import { SERVICES } from "../../src/cli/services.ts";
import type { McpHost } from "../../src/mcp/host.ts";
import { requestTools } from "../../src/mcp/request-tools.ts";
import {
  type Contract,
  defineContract,
  type EventSpec,
  type RequestSpec,
} from "../../src/protocol/contract.ts";

const nothing = v.object({});

function define(
  requests: Record<string, Pick<RequestSpec, "access" | "effect">>,
  events: Record<string, Pick<EventSpec, "publishable" | "published">> = {},
): Contract {
  const complete = {
    description: "It",
    input: nothing,
    output: nothing,
    data: nothing,
    channels: ["global"],
  };
  const filled = <T extends object>(table: Record<string, T>) =>
    Object.fromEntries(Object.entries(table).map(([name, spec]) => [name, { ...complete, ...spec }]));
  return defineContract({
    name: "example",
    ports: { http: 9000, websocket: 9010 },
    channels: {},
    events: filled(events),
    requests: filled(requests),
  }) as Contract;
}

// A tool asks its host for no more than the contract until it is called.
const listingsOf = (contract: Contract) =>
  new Map(requestTools({ contract } as McpHost).map(({ listing }) => [listing.name, listing]));

const READS = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false };

describe("annotations of a request", () => {
  test("say what its contract says of its effect, and the worst where that says nothing", () => {
    const listings = listingsOf(define({
      look: { access: "read" },
      tell: { access: "read", effect: { destructive: false } },
      change: { access: "write" },
      set: { access: "write", effect: { idempotent: true } },
      add: { access: "write", effect: { destructive: false } },
      start: { access: "run", effect: { openWorld: true } },
    }));
    const closed = { readOnlyHint: false, openWorldHint: false };
    expect(
      Object.fromEntries([...listings].slice(0, 6).map(([name, { annotations }]) => [name, annotations])),
    )
      .toEqual({
        look: READS,
        tell: { ...closed, destructiveHint: false, idempotentHint: false },
        // Without `openWorldHint` a client takes it for true.
        change: { readOnlyHint: false, destructiveHint: true, idempotentHint: false },
        set: { ...closed, destructiveHint: true, idempotentHint: true },
        add: { ...closed, destructiveHint: false, idempotentHint: false },
        start: { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
      });
  });

  test("of `publish` tell news from events of which the service makes something", () => {
    const destructive = (event: Pick<EventSpec, "publishable" | "published">) =>
      listingsOf(define({}, { happened: event })).get("publish")!.annotations.destructiveHint;
    expect(destructive({ publishable: "write" })).toBe(false);
    expect(destructive({ publishable: "write", published: nothing })).toBe(true);
    // No client publishes it.
    expect(destructive({ published: nothing })).toBe(false);
  });
});

describe.each(Object.keys(SERVICES))("tools of %s", (name) => {
  test("each say of a request that is not read-only what it does", async () => {
    const { contract } = await SERVICES[name]!();
    const listings = listingsOf(contract);
    const requests: Readonly<Record<string, RequestSpec>> = contract.requests;
    for (const [request, { access, effect }] of Object.entries(requests)) {
      const { annotations } = listings.get(request)!;
      if (access !== "read") expect(effect, request).toHaveProperty("destructive");
      if (effect === undefined) expect(annotations, request).toEqual(READS);
      else expect(annotations, request).toHaveProperty("openWorldHint", effect.openWorld === true);
    }
    for (const request of ["get_status", "get_history", "get_presence"]) {
      expect(listings.get(request)!.annotations, request).toEqual(READS);
    }
  });

  test("have a title for people", async () => {
    const { contract } = await SERVICES[name]!();
    const titles = [...listingsOf(contract).values()].map((listing) => (listing as { title?: string }).title);
    for (const title of titles) expect(title).toMatch(/^[A-Z][a-z]+( [a-z]+)*$/);
    expect(new Set(titles).size).toBe(titles.length);
  });
});

test("those tools reach outside that start programs of others or talk to other machines", async () => {
  const open: string[] = [];
  for (const [service, load] of Object.entries(SERVICES)) {
    for (const [name, { annotations }] of listingsOf((await load()).contract)) {
      if ((annotations as { openWorldHint?: boolean }).openWorldHint) open.push(`${service} ${name}`);
    }
  }
  expect(open).toEqual(["mahavishnu run_workflow", "crackerjack run_tests", "dhruva distribute_adapter"]);
});

test("publishing is destructive where it draws, and nowhere else", async () => {
  const destructive: string[] = [];
  for (const [service, load] of Object.entries(SERVICES)) {
    const { annotations } = listingsOf((await load()).contract).get("publish")!;
    if (annotations.destructiveHint) destructive.push(service);
  }
  expect(destructive).toEqual(["excalidraw"]);
});
