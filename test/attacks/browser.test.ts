/**
 * What a page in a real browser can do to a service on the same machine that takes everybody: nothing, unless its
 * origin is allowed.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Browser, hasChromium, openPage } from "../client/chromium.ts";
import { type PageServer, servePage } from "../client/page-server.ts";
import { buildOnce } from "../support/build-once.ts";
import { get, post } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { makeScratch, type Scratch, serve, type Serving } from "../support/serve-process.ts";
import { hasRuntime, type RuntimeName } from "../support/start-program.ts";
import { foreignPage, reboundPage, welcomePage } from "./hostile-pages.ts";
import { startRebinding } from "./rebinding.ts";

const PATIENCE_MS = 60_000;
/** Of the attacker, on this machine. */
const OTHER_ADDRESS = "127.0.0.2";
const hasOtherAddress = requireOrSkip(OTHER_ADDRESS, process.platform === "linux", "run them on Linux");

interface Report {
  readonly attempt?: string;
  readonly got?: unknown;
  readonly over?: boolean;
}

let scratch: Scratch;
beforeAll(async () => {
  await buildOnce();
  scratch = await makeScratch();
}, 180_000);
afterAll(() => scratch?.remove());

const runtimes = (["node", "deno", "bun"] as const).filter((name) => hasRuntime(name));

describe.runIf(hasChromium()).each(runtimes)("A page and a service on %s", { timeout: 3 * PATIENCE_MS }, (
  runtime: RuntimeName,
) => {
  let service: Serving;
  let script = "";
  let pages: PageServer;
  /** Another server of pages, whose origin is allowed. */
  let welcome: PageServer;

  beforeAll(async () => {
    pages = await servePage("", () => script);
    welcome = await servePage("", () => welcomePage(service, pages.origin));
    const file = join(scratch.folder, `${runtime}.yaml`);
    await writeFile(file, JSON.stringify({ origins: { allowed: [welcome.origin] } }));
    service = await serve(runtime, {
      args: ["session-buddy", "--settings", file, ...scratch.flags(runtime)],
      lifetimeMs: 5 * PATIENCE_MS,
    });
  }, PATIENCE_MS);
  afterAll(async () => {
    service?.kill("SIGTERM");
    await pages?.stop();
    await welcome?.stop();
    expect(await service?.ended).toMatchObject({ code: 0, complaints: [] });
  }, PATIENCE_MS);

  /** What a page at this address reports until it is done. */
  async function visited(url: string, names: Record<string, string> = {}): Promise<Record<string, unknown>> {
    const from = pages.reports.length;
    const reports = () => pages.reports.slice(from) as Report[];
    let browser: Browser | undefined;
    try {
      browser = openPage(url, names);
      await expect.poll(() => reports().some(({ over }) => over), {
        timeout: PATIENCE_MS,
        message: browser.stderr().slice(-2_000),
      }).toBe(true);
    } finally {
      await browser?.stop();
    }
    return Object.fromEntries(reports().flatMap(({ attempt, got }) => attempt ? [[attempt, got]] : []));
  }

  async function nothingHasHappened(): Promise<void> {
    const { body } = await post(`${service.http}/api/requests/list_sessions`, {});
    expect(body.sessions).toEqual([]);
    expect(service.stderr()).not.toContain("Client connected");
    expect((await get(`${service.http}/api/status`)).body.connections).toBe(0);
  }

  const refusals = () => service.stderr().split("Request refused").length - 1;

  it("from elsewhere sends what pages may send, and changes and learns nothing", async () => {
    script = foreignPage(service, pages.origin);
    const before = refusals();
    const got = await visited(pages.origin);
    expect(got).toEqual({
      // Sent without being asked for; what was answered nobody is shown, and it was a refusal: see below.
      "POST of text": "opaque",
      "POST of a blob as JSON": "opaque",
      "POST of JSON": "refused",
      "POST with a cookie": "opaque",
      "beacon": true,
      "MCP": "opaque",
      "GET": "refused",
      "GET, opaque": "opaque",
      "PUT": "refused",
      "image": "refused",
      "event stream": "refused",
      "WebSocket /": "refused",
      "WebSocket /ws": "refused",
      "form": "loaded",
      "sandbox": "refused opaque",
      "data URL": "refused opaque",
    });
    // They have reached the service, and were refused there.
    expect(refusals() - before).toBeGreaterThanOrEqual(Object.keys(got).length);
    await nothingHasHappened();
  });

  it.runIf(hasOtherAddress)(
    "under a name that has come to mean this machine is refused with 403 and told nothing",
    async () => {
      const before = refusals();
      const rebinding = await startRebinding(
        OTHER_ADDRESS,
        [service.http, service.websocket],
        reboundPage(service, pages.origin),
      );
      try {
        const { port } = new URL(service.http);
        const names = { "evil.test": OTHER_ADDRESS };
        const got = await visited(`http://evil.test:${port}/`, names);
        const sockets = { "WebSocket": "refused", "WebSocket port": "refused" };
        expect(got).toMatchObject(sockets);
        for (const [attempt, answer] of Object.entries(got)) {
          if (!(attempt in sockets)) {
            expect(answer, attempt).toMatch(/^403 .*FORBIDDEN.*Cannot accept host 'evil\.test/);
          }
        }
        expect(Object.keys(got)).toHaveLength(8);
      } finally {
        await rebinding.stop();
      }
      expect(refusals() - before).toBeGreaterThanOrEqual(8);
      await nothingHasHappened();
    },
  );

  it("from an origin that is allowed gets in", async () => {
    const got = await visited(welcome.origin);
    expect(got["WebSocket"]).toContain('"event":"welcome"');
    expect(service.stderr()).toContain("Client connected");
  });
});
