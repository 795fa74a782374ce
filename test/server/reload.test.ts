/**
 * A running server that reads its settings again, over real connections.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { mergeSettings } from "../../src/settings/schema.ts";
import { type Authority, type Files, makeAuthority, makeFiles } from "../support/certificates.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post } from "../support/http-client.ts";
import { keySetOf, makeKey, signWith } from "../support/issuer.ts";
import { type Own, startOwn } from "./own-service.ts";

const RENEWS = !("Bun" in globalThis);

let files: Files;
let authority: Authority;
beforeAll(async () => {
  files = await makeFiles();
  authority = await makeAuthority();
}, 60_000);
afterAll(() => files.remove());

let own: Own | undefined;
afterEach(async () => {
  await own?.server.stop();
  own = undefined;
});

async function start(settings: SettingsPart): Promise<Own> {
  return own = await startOwn(settings);
}

/** The server's settings with some of them replaced, as if they stood in its file. */
const read = ({ server }: Own, part: SettingsPart) => mergeSettings(server.settings, part);

async function reload(running: Own, part: SettingsPart): Promise<{ changes: unknown; restart: unknown }> {
  const prepared = await running.server.prepareReload(read(running, part));
  prepared.apply();
  return { changes: prepared.changes, restart: prepared.restart };
}

const at = (origin: string) => ({ origin });

describe("RealtimeServer.prepareReload", { timeout: 60_000 }, () => {
  it("changes what can change and names what cannot, while clients stay", async () => {
    const running = await start({});
    const client = await FrameClient.open(running.url);
    const page = at("https://page.example");
    expect((await refusedUpgrade(running.url, page)).status).toBe(403);
    expect(
      await reload(running, {
        origins: { allowed: ["https://page.example"] },
        hosts: { allowed: ["own.example"] },
        limits: { channels_per_connection: 1 },
        log: { level: "error" },
        http: { port: 4 },
        heartbeat: { interval_ms: 9_000 },
      }),
    ).toEqual({
      changes: ["origins.allowed", "hosts.allowed", "limits.channels_per_connection", "log.level"],
      restart: ["http.port", "heartbeat.interval_ms"],
    });
    await (await FrameClient.open(running.url, page)).close();
    expect((await get(`${running.http}/health`, { host: "own.example" })).status).toBe(200);
    await client.request("subscribe", { channel: "thing:a" });
    expect((await client.request("subscribe", { channel: "thing:b" })).error_code).toBe("TOO_MANY_CHANNELS");
    expect(running.server.settings.heartbeat.interval_ms).toBe(25_000);
    const lines = running.log.length;
    await client.close();
    expect(running.log.slice(lines)).toEqual([]);
  });

  it("changes nothing before it is applied", async () => {
    const running = await start({});
    await running.server.prepareReload(read(running, { origins: { allowed: ["https://page.example"] } }));
    expect((await refusedUpgrade(running.url, at("https://page.example"))).status).toBe(403);
    expect(running.server.settings.origins.allowed).toEqual([]);
  });

  it("bounds connections and requests by the new numbers, and forgets none that is there", async () => {
    const running = await start({ limits: { loopback_exempt: false, connections_per_address: 0 } });
    const clients = [await FrameClient.open(running.url), await FrameClient.open(running.url)];
    await reload(running, { limits: { connections_per_address: 2, http_rate: 1, http_burst: 1 } });
    expect(await new FrameClient(running.url).closed).toMatchObject({ code: 1013 });
    await clients[0]!.close();
    await reload(running, { limits: { http_rate: 0 } });
    const third = await FrameClient.open(running.url);
    await third.request("get_status");
    await reload(running, { websocket: { max_connections: 2 }, limits: { connections_per_address: 0 } });
    expect(await new FrameClient(running.url).closed).toMatchObject({ code: 1013 });
    for (const client of [clients[1]!, third]) await client.close();
    await (await FrameClient.open(running.url)).close();
  });

  it("takes tokens by the new secret and no longer by the old one", async () => {
    const [before, after] = ["the secret before this change", "the secret after this change!"];
    const running = await start({ auth: { required: true, secret: before } });
    const asked = async (secret: string) => {
      const token = await createToken({
        secret,
        userId: "ada",
        permissions: ["own:write"],
        clock: systemClock,
      });
      const headers = { authorization: `Bearer ${token}` };
      return (await post(`${running.http}/api/requests/make`, { thing_id: "a" }, headers)).status;
    };
    expect([await asked(before), await asked(after)]).toEqual([200, 401]);
    expect(await reload(running, { auth: { secret: after } })).toEqual({
      changes: ["auth.secret"],
      restart: [],
    });
    expect([await asked(before), await asked(after)]).toEqual([401, 200]);
  });

  it("reads a file of keys again, and one that is damaged changes nothing", async () => {
    const [old, young] = [await makeKey("ES256", "old"), await makeKey("ES256", "young")];
    const jwks_file = await files.write("keys.json", keySetOf(old));
    const running = await start({ auth: { required: true, jwks_file, issuer: "i", audience: "own" } });
    const asked = async (key: typeof old) => {
      const seconds = Math.floor(Date.now() / 1_000);
      const claims = {
        sub: "ada",
        iss: "i",
        aud: "own",
        iat: seconds,
        exp: seconds + 600,
        permissions: ["own:read"],
      };
      const headers = { authorization: `Bearer ${await signWith(key, claims)}` };
      return (await get(`${running.http}/api/status`, headers)).status;
    };
    expect(await asked(old)).toBe(200);
    await files.write("keys.json", "no keys");
    await expect(running.server.prepareReload(read(running, {}))).rejects.toThrow(
      /auth\.jwks_file: expected/,
    );
    expect(await asked(old)).toBe(200);
    await files.write("keys.json", keySetOf(young));
    expect(await reload(running, {})).toEqual({ changes: [], restart: [] });
    expect([await asked(old), await asked(young)]).toEqual([401, 200]);
  });

  it("shows a renewed certificate to whoever connects, where the runtime can", async () => {
    const tls = await files.store("server", await authority.issue());
    const running = await start({ tls });
    const url = `wss://127.0.0.1:${running.server.port}`;
    const staying = await FrameClient.open(url, { ca: authority.cert });
    const other = await makeAuthority();
    await files.store("server", await other.issue());
    const told = await reload(running, {});
    const name = `the certificate ${tls.cert_file}`;
    expect(told).toEqual(RENEWS ? { changes: [name], restart: [] } : { changes: [], restart: [name] });
    const trusted = RENEWS ? other : authority;
    await (await FrameClient.open(url, { ca: trusted.cert })).close();
    expect((await staying.request("get_status")).type).toBe("response");
    await staying.close();
    expect(await reload(running, {})).toEqual(RENEWS ? { changes: [], restart: [] } : told);

    await files.write("server.pem", "no certificate");
    await expect(running.server.prepareReload(read(running, {}))).rejects.toThrow(
      /Cannot use the certificate/,
    );
    await (await FrameClient.open(url, { ca: trusted.cert })).close();
  });
});
