/**
 * Hosts, origins and targets in every form that a client can write them on the wire, on each runtime: what is not ours is
 * refused before anything is done and before any upgrade.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildOnce } from "../support/build-once.ts";
import { get } from "../support/http-client.ts";
import { HANDSHAKE_HEADERS, RawSocket } from "../support/raw-socket.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 120_000);
afterAll(() => scratch?.remove());

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));
const { Host: _, ...UPGRADE } = HANDSHAKE_HEADERS;

interface Line {
  readonly version?: "1.0" | "1.1";
  /** The authority of an absolute target. */
  readonly target?: string;
}

/** Header lines as they stand, so that one can come twice. */
type Case = [what: string, lines: readonly string[], more?: Line];

const STRANGE: Case[] = [
  ["no Host", []],
  ["no Host in HTTP/1.0", [], { version: "1.0" }],
  ["an empty Host", ["Host:"]],
  ["a Host of elsewhere", ["Host: evil.example"]],
  ["a Host of elsewhere in HTTP/1.0", ["Host: evil.example"], { version: "1.0" }],
  ["a Host that begins like ours", ["Host: localhost.evil.example:PORT"]],
  ["a Host that ends like ours", ["Host: evil-localhost"]],
  ["an IPv6 address that is not ours", ["Host: [fd00::1]:PORT"]],
  ["an IPv4 address within IPv6", ["Host: [::ffff:127.0.0.1]:PORT"]],
  ["the address of all", ["Host: 0.0.0.0:PORT"]],
  ["two final dots", ["Host: localhost.."]],
  ["a user in its Host", ["Host: localhost@evil.example"]],
  ["a user before our Host", ["Host: evil.example@localhost"]],
  ["a path in its Host", ["Host: localhost/evil"]],
  ["two hosts in one", ["Host: localhost, evil.example"]],
  ["two Hosts, ours first", ["Host: localhost", "Host: evil.example"]],
  ["two Hosts, ours last", ["Host: evil.example", "Host: localhost"]],
  ["two Hosts that are the same", ["Host: localhost", "Host: localhost"]],
  ["a Host on two lines", ["Host: localhost", " evil.example"]],
  ["a target of elsewhere", ["Host: evil.example"], { target: "evil.example" }],
  ["a target of ours and a Host of elsewhere", ["Host: evil.example"], { target: "localhost:PORT" }],
  ["an Origin of elsewhere", ["Host: localhost", "Origin: https://evil.example"]],
  ["the Origin null", ["Host: localhost", "Origin: null"]],
  ["the Origin NULL", ["Host: localhost", "ORIGIN: NULL"]],
  ["an empty Origin", ["Host: localhost", "Origin:"]],
  ["an Origin of another port", ["Host: localhost", "Origin: http://localhost:1"]],
  ["an Origin without our port", ["Host: localhost:PORT", "Origin: http://localhost"]],
  ["an Origin with a user", ["Host: localhost", "Origin: http://localhost:PORT@evil.example"]],
  ["an Origin with a path", ["Host: localhost", "Origin: http://localhost:PORT/"]],
  ["two Origins, ours first", [
    "Host: localhost",
    "Origin: http://localhost:PORT",
    "Origin: https://evil.example",
  ]],
  ["two Origins, ours last", [
    "Host: localhost",
    "Origin: https://evil.example",
    "Origin: http://localhost:PORT",
  ]],
  ["two origins in one", ["Host: localhost", "Origin: http://localhost:PORT https://evil.example"]],
];

/** Bun goes by the header alone and shows nobody what the target said. */
const STRANGE_TARGETS: Case[] = [
  ["a target of elsewhere and our Host", ["Host: localhost"], { target: "evil.example" }],
  ["a target with a user", ["Host: localhost"], { target: "user@localhost" }],
  ["a target of an IPv6 address that is not ours", ["Host: [::1]"], { target: "[fd00::1]" }],
];

const GOOD: Case[] = [
  ["localhost", ["Host: localhost"]],
  ["localhost with its port", ["host: localhost:PORT"]],
  ["upper case", ["HOST: LOCALHOST:PORT"]],
  ["a final dot", ["Host: localhost.:PORT"]],
  ["any address of this machine", ["Host: 127.8.9.10"]],
  ["IPv6", ["Host: [::1]:PORT"]],
  ["IPv6 in another form", ["Host: [0:0:0:0:0:0:0:1]"]],
  ["HTTP/1.0 with a Host", ["Host: localhost"], { version: "1.0" }],
  ["a forwarded host, which nobody looks at", ["Host: localhost", "X-Forwarded-Host: evil.example"]],
  ["a page of its own", ["Host: localhost:PORT", "Origin: http://localhost:PORT"]],
  ["a page of its own by another name", ["Host: localhost:PORT", "Origin: HTTP://[::1]:PORT"]],
  ["a page of a service's port", ["Host: localhost", "Origin: http://127.0.0.1:8690"]],
];

describe.each(runtimes)("hosts and origins on %s", { timeout: 60_000 }, (runtime: RuntimeName) => {
  let program: Serving;
  let ports: { http: number; websocket: number };

  /** The first line and all that came with it. */
  async function answerTo(
    port: number,
    path: string,
    lines: readonly string[],
    more: Line = {},
  ): Promise<string> {
    const { version = "1.1", target } = more;
    const peer = await RawSocket.open(port);
    const head = [
      `GET ${target === undefined ? path : `http://${target}${path}`} HTTP/${version}`,
      ...lines,
      "",
      "",
    ];
    peer.net.write(head.join("\r\n").replaceAll("PORT", String(port)));
    const answer = await peer.until("\r\n\r\n").catch(() => peer.text);
    peer.reset();
    return answer;
  }
  const upgrading = Object.entries(UPGRADE).map(([name, value]) => `${name}: ${value}`);
  /** Each line of headers at each port, plain and as an upgrade. */
  const ways = () =>
    [[ports.http, "/health"], [ports.http, "/ws"], [ports.http, "/metrics"], [ports.http, "/no/such/route"], [
      ports.websocket,
      "/",
    ], [ports.websocket, "/health"]] as const;
  const connected = async () =>
    (await get(`${program.http}/metrics`)).body.match(/^websocket_connections_total\S* (\d+)/m)?.[1];

  beforeAll(async () => {
    program = await serve(runtime, { args: ["session-buddy", ...scratch.flags(`origin-${runtime}`)] });
    ports = { http: Number(new URL(program.http).port), websocket: Number(new URL(program.websocket).port) };
  }, 60_000);
  afterAll(async () => {
    program?.kill("SIGTERM");
    const ended = await program?.ended;
    expect(ended).toMatchObject({ code: 0, complaints: [] });
  }, 60_000);

  it.each<Case>([...STRANGE, ...(runtime === "bun" ? [] : STRANGE_TARGETS)])(
    "a request with %s is refused, plain or as an upgrade",
    async (_what, lines, more) => {
      const before = await connected();
      for (const [port, path] of ways()) {
        for (const head of [lines, [...lines, ...upgrading]]) {
          expect(await answerTo(port, path, head, more), `${path} ${head.length}`).toMatch(
            /^HTTP\/1\.[01] 40[03] /,
          );
        }
      }
      expect(await connected()).toBe(before);
    },
  );

  it.each<Case>(GOOD)("a request with %s is taken, plain and as an upgrade", async (_what, lines, more) => {
    expect(await answerTo(ports.http, "/health", lines, more)).toMatch(/^HTTP\/1\.[01] 200 /);
    if (more?.version === "1.0") return;
    for (const [port, path] of [[ports.http, "/ws"], [ports.websocket, "/any"]] as const) {
      expect(await answerTo(port, path, [...lines, ...upgrading])).toMatch(/^HTTP\/1\.1 101 /);
    }
  });

  it("a path that begins with two slashes is a path, and no other server's", async () => {
    for (const head of [[], upgrading]) {
      const answer = await answerTo(ports.http, "//evil.example/ws", ["Host: localhost", ...head]);
      expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    }
  });
});
