/**
 * Nothing that a client sends becomes a property of every object.
 *
 * What a property on `Object.prototype` would do shows in what is missing: schemas would find fields that nobody has
 * sent, and a token without permissions would have some.
 *
 * @module
 */
import { beforeAll, describe, expect, it } from "vitest";
import { Attacker, each, httpVerdict, toolVerdict } from "./attacker.ts";
import { COMMON_REQUESTS, goodData, type RequestFields, requestsOf } from "./request-fields.ts";
import type { Service, Target } from "./target.ts";

const AT_ONCE = 4;

/** Everything that somebody might look for and not find. */
const LOOT = JSON.stringify({
  polluted: true,
  project: "polluted",
  session_id: "polluted",
  query: "polluted",
  summary: "polluted",
  content: "polluted",
  definition: "good",
  adapter_id: "polluted:a:b",
  diagram_id: "polluted",
  run_id: "polluted",
  channel: "global",
  event: "system.announcement",
  permissions: ["admin"],
  scopes: ["admin"],
  admin: true,
  authenticated: true,
  required: false,
  ok: true,
  status: 200,
  command: ["touch", "polluted"],
  allow_inline: true,
  get: null,
  set: null,
  value: "polluted",
});

/** Texts, as an object literal or `JSON.stringify` would leave the keys out that matter. */
const POLLUTING = [
  `{"__proto__":${LOOT}}`,
  `{"constructor":{"prototype":${LOOT}}}`,
  `{"__proto__":{"__proto__":${LOOT}}}`,
  `{"constructor":{"prototype":{"__proto__":${LOOT}}}}`,
  `{"prototype":${LOOT},"__proto__.polluted":true,"constructor.prototype.polluted":true,"__proto__[polluted]":true}`,
  `{"a":{"__proto__":${LOOT},"b":[{"__proto__":${LOOT},"c":{"constructor":{"prototype":${LOOT}}}}]}}`,
  // An integer that needs the other parser.
  `{"n":123456789012345678901234567890,"__proto__":${LOOT},"a":{"__proto__":${LOOT}}}`,
  `{"\\u005f\\u005fproto\\u005f\\u005f":${LOOT}}`,
];

/** A request's data with one of its fields, or all of it, replaced by such a text. */
function texts(fields: RequestFields): string[] {
  const good = goodData(fields);
  const members = (data: object) =>
    Object.entries(data).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
  return POLLUTING.flatMap((text) => [
    text,
    `{${[...members(good), text.slice(1, -1)].join(",")}}`,
    ...Object.keys(fields.fields).flatMap((name) => {
      const others = members(Object.fromEntries(Object.entries(good).filter(([other]) => other !== name)));
      return [text, `[${text}]`].map((value) => `{${[...others, `"${name}":${value}`].join(",")}}`);
    }),
  ]);
}

export function pollutionAttacks(target: () => Target): void {
  describe("prototype pollution", () => {
    const admins = new Map<string, Attacker>();
    const admin = (service: Service) => admins.get(service.name)!;

    beforeAll(async () => {
      for (const [index, service] of target().services.entries()) {
        const token = await target().token("insider", [`${service.name}:admin`]);
        admins.set(service.name, new Attacker(`127.0.80.${index + 1}`, token));
      }
    });

    it("by any field of any request, by frames, HTTP and MCP, changes nothing for others", async () => {
      const failures: string[] = [];
      let tried = 0;
      await each(target().services, AT_ONCE, async (service) => {
        const attacker = admin(service);
        const all = [...requestsOf(service.contract), ...COMMON_REQUESTS].flatMap((fields) =>
          texts(fields).map((text) => ({ request: fields.request, text }))
        );
        for (let from = 0; from < all.length; from += 100) {
          const client = await attacker.connect(service.websocket);
          await Promise.all(
            all.slice(from, from + 100).map(async ({ request, text }, index) => {
              tried++;
              const id = String(index);
              client.send(
                `{"type":"request","id":"${id}","event":"${request}","data":${text},"__proto__":${LOOT}}`,
              );
              const answer = await client.frame(({ correlation_id }) => correlation_id === id);
              if (answer.error_code === "SERVER_ERROR") {
                failures.push(`${service.name}.${request} ${text.slice(0, 200)}`);
              }
            }),
          );
          await client.close();
        }
        // The other doors parse for themselves; what comes behind the parser was tried above.
        for (const { request, text } of all.filter((_, index) => index % 20 === 0)) {
          const sent = { method: "POST", headers: { accept: "*/*" } };
          const byHttp = httpVerdict(
            await attacker.http(`${service.http}/api/requests/${request}`, { ...sent, body: text }),
          );
          const call =
            `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"${request}","arguments":${text},"__proto__":${LOOT}}}`;
          const byMcp = toolVerdict(await attacker.http(`${service.http}/mcp`, { ...sent, body: call }));
          if (byHttp === "SERVER_ERROR" || byMcp === "SERVER_ERROR") {
            failures.push(`${service.name}.${request} ${byHttp} ${byMcp}`);
          }
        }
        failures.push(...await pollutedSigns(target(), service, attacker));
      });
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(1_000);
    }, 120_000);

    it("by names of requests, tools, headers and queries, changes nothing for others", async () => {
      const failures: string[] = [];
      await each(target().services, AT_ONCE, async (service) => {
        const attacker = admin(service);
        const client = await attacker.connect(service.websocket);
        for (
          const name of [
            "__proto__",
            "constructor",
            "prototype",
            "toString",
            "hasOwnProperty",
            "valueOf",
            "then",
          ]
        ) {
          const verdicts = [
            (await client.request(name)).error_code,
            httpVerdict(await attacker.ask(service, name)),
            (await client.request("publish", { event: name, data: {} })).error_code,
            httpVerdict(await attacker.http(`${service.http}/api/channels?kind=${name}`)),
          ];
          const isRefused = verdicts.every((verdict) => /^(UNKNOWN_REQUEST|INVALID_DATA)$/.test(verdict));
          const tool = toolVerdict(await attacker.tool(service, name));
          if (!isRefused || tool === "answered") {
            failures.push(`${service.name} ${name}: ${verdicts.join(" ")} ${tool}`);
          }
        }
        await client.close();
        const query =
          "__proto__[polluted]=1&__proto__.project=x&constructor[prototype][project]=x&constructor.prototype.query=x&__proto__=x";
        for (const path of ["/api/status", "/api/channels", "/api/channels/global/events"]) {
          const { status } = await attacker.http(`${service.http}${path}?${query}`, {
            headers: { "__proto__": "x", "constructor": "x", "idempotency-key": "__proto__" },
          });
          if (status >= 500) failures.push(`${service.name} ${path}: ${status}`);
        }
        failures.push(...await pollutedSigns(target(), service, attacker));
      });
      expect(failures).toEqual([]);
    });

    it("by a definition of a workflow is refused, and changes no other", async () => {
      const service = target().service("mahavishnu");
      const runner = admin(service);
      const refused = await runner.ask(service, "run_workflow", { definition: "polluting" });
      expect(refused.body).toMatchObject({ error_code: "INVALID_DATA" });
      expect(refused.body.error_message).toMatch(/polluting\.yaml:1: .*, got "__proto__"/);
      const { workflow_id } = (await runner.ask(service, "run_workflow", { definition: "good" })).body;
      const status = async () => (await runner.ask(service, "get_workflow_status", { workflow_id })).body;
      await expect.poll(async () => (await status()).status, { timeout: 30_000 }).toBe("completed");
      expect((await status()).stages).toMatchObject([{ name: "one", attempts: 1 }]);
      expect(await pollutedSigns(target(), service, runner)).toEqual([]);
    });

    it("by a merge patch stays in the session that it was meant for, as data", async () => {
      const service = target().service("session-buddy");
      const writer = admin(service);
      await writer.ask(service, "start_session", { session_id: "patched", project: "x" });
      const patch =
        `{"session_id":"patched","context":{"__proto__":{"deep":${LOOT}},"constructor":{"prototype":${LOOT}},"a":{"__proto__":${LOOT}}}}`;
      const updated = await writer.http(`${service.http}/api/requests/update_session`, {
        method: "POST",
        body: patch,
      });
      expect(updated.status).toBe(200);
      const { context } = (await writer.ask(service, "get_session", { session_id: "patched" })).body;
      expect(Object.keys(context)).toEqual(["__proto__", "constructor", "a"]);
      const { value } = Object.getOwnPropertyDescriptor(context, "__proto__")!;
      expect(value.deep).toMatchObject({ polluted: true, permissions: ["admin"] });
      const fresh = (await writer.ask(service, "start_session", { project: "y" })).body;
      expect({ context: fresh.context, user: fresh.user, summary: fresh.summary }).toEqual({
        context: {},
        user: "insider",
        summary: null,
      });
    });
  });
}

/** What would be different if every object had a property more. */
async function pollutedSigns(target: Target, service: Service, attacker: Attacker): Promise<string[]> {
  const signs: string[] = [];
  for (const { request, required } of requestsOf(service.contract)) {
    if (required.length === 0) continue;
    const verdict = httpVerdict(await attacker.ask(service, request));
    if (verdict !== "INVALID_DATA") signs.push(`${service.name}.${request} of nothing: ${verdict}`);
  }
  const nobody = new Attacker(attacker.address, await target.token("nobody", []));
  const verdict = httpVerdict(await nobody.ask(service, "get_status"));
  if (verdict !== "FORBIDDEN") signs.push(`${service.name}: who may do nothing gets ${verdict}`);
  const stranger = await new Attacker(attacker.address).http(`${service.http}/api/status`);
  if (stranger.status !== 401) signs.push(`${service.name}: who is nobody gets ${stranger.status}`);
  const { body } = await attacker.ask(service, "get_status");
  if (JSON.stringify(body).includes('"polluted"')) signs.push(`${service.name}: ${JSON.stringify(body)}`);
  return signs;
}
