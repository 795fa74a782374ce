import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { type RunningService, startService } from "../suite/running-service.ts";
import { hasRuntime } from "../support/start-program.ts";
import { bundleForBrowsers } from "./browser-bundle.ts";
import { type Browser, hasChromium, openPage } from "./chromium.ts";
import { type PageServer, servePage } from "./page-server.ts";

const PATIENCE_MS = 60_000;

/** What the page does: it tells of everything that it sees, in order. */
const pageScript = (url: string) => `
  import { createClient } from "/client.js";
  let told = Promise.resolve();
  const report = (what) => {
    told = told.then(() => fetch("/report", { method: "POST", body: JSON.stringify(what) }));
  };
  addEventListener("error", ({ message }) => report({ fault: message }));
  addEventListener("unhandledrejection", ({ reason }) => report({ fault: String(reason) }));
  let tries = 0;
  const client = createClient({
    url: ${JSON.stringify(url)},
    minDelayMs: 20,
    maxDelayMs: 200,
    token: () => (report({ try: ++tries }), null),
    onState: (state, error) => report({ state, error: error?.message ?? null }),
    onError: (error) => error.reason === "unreachable" || report({ fault: String(error) }),
  });
  const sessions = client.subscribe("session:*");
  sessions.ready.then((subscribed) => report({ subscribed }));
  for await (const item of sessions) {
    report(item);
    if (item.event === "session.created") {
      const data = { session_id: item.data.session_id, context: { from: "page" } };
      report({ answer: await client.request("update_session", data) });
    }
    if (item.event === "session.closed") client.close();
  }
  report({ done: true });
`;

describe.runIf(hasRuntime("bun") && hasChromium())("the client in Chromium", () => {
  let client = "";
  let pages: PageServer | undefined;
  let service: RunningService | undefined;
  let browser: Browser | undefined;
  beforeAll(() => void (client = bundleForBrowsers().text));
  afterEach(async () => {
    await browser?.stop();
    await service?.stop();
    await pages?.stop();
    browser = service = pages = undefined;
  }, PATIENCE_MS);

  /** Start the service, and open a page that uses it. */
  async function open(allow: boolean): Promise<{ pages: PageServer; service: RunningService }> {
    const served = pages = await servePage(client, () => pageScript(service!.url));
    const running = service = await startService(
      { name: "session-buddy", Server: SessionBuddyWebSocketServer },
      { origins: { allowed: allow ? [served.origin] : [] } },
    );
    browser = openPage(served.origin);
    return { pages: served, service: running };
  }

  /** Wait for a report of the page that has all of this. */
  const reported = (what: object) =>
    expect.poll(() => pages!.reports, { timeout: PATIENCE_MS, message: browser?.stderr().slice(-2_000) })
      .toContainEqual(expect.objectContaining(what));

  it("subscribes, asks, hears, resumes after a restart on the same port, and leaves", async () => {
    const { pages, service } = await open(true);
    await reported({ subscribed: { position: expect.anything(), recovered: null } });
    await service.request({ name: "start_session", data: { session_id: "s1", project: "page" } });
    await reported({ answer: expect.objectContaining({ session_id: "s1", context: { from: "page" } }) });
    await service.restart();
    await reported({ state: "connecting", error: expect.stringContaining("ended the connection with 1001") });
    await service.request({ name: "update_session", data: { session_id: "s1", context: { after: 1 } } });
    await service.request({ name: "end_session", data: { session_id: "s1" } });
    await reported({ done: true });
    expect(pages.reports.filter(({ type }) => type).map(({ type, event }) => [type, event])).toEqual([
      ["event", "session.created"],
      ["event", "session.updated"],
      ["event", "session.updated"],
      ["event", "session.closed"],
    ]);
    // A server that stops lets in whoever comes back too soon, to say that it goes.
    expect(pages.reports.filter(({ state }) => state).map(({ state }) => state).join(" "))
      .toMatch(/^open( connecting open)+ closed$/);
    expect(pages.reports.filter(({ fault }) => fault)).toEqual([]);
  }, 2 * PATIENCE_MS);

  it("is not let in from an origin that is not allowed, and keeps trying", async () => {
    const { pages } = await open(false);
    await reported({ try: 4 });
    expect(pages.reports.filter((report) => !("try" in report))).toEqual([]);
  }, 2 * PATIENCE_MS);
});
