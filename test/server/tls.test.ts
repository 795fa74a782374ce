/**
 * A server whose ports speak TLS: what it is told, what it tells, and whom it lets in.
 */
import { X509Certificate } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createToken } from "../../src/auth/token.ts";
import { createClient } from "../../src/client/node.ts";
import type { WebSocketClass } from "../../src/client/link.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { SettingsPart } from "../../src/settings/schema.ts";
import { type Authority, type Files, makeAuthority, makeFiles, type Pair } from "../support/certificates.ts";
import { FrameClient, refusedUpgrade } from "../support/frame-client.ts";
import { get, post, type TlsClient } from "../support/http-client.ts";
import { type Own, type ownContract, startOwn } from "./own-service.ts";

let files: Files;
let authority: Authority;
let pair: Pair;
let named: { cert_file: string; key_file: string };
beforeAll(async () => {
  files = await makeFiles();
  authority = await makeAuthority();
  pair = await authority.issue();
  named = await files.store("server", pair);
}, 60_000);
afterAll(() => files.remove());

/** Why it does not start. */
async function fault(settings: SettingsPart): Promise<string> {
  let own: Own;
  try {
    own = await startOwn(settings);
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  await own.server.stop();
  return "it started";
}

/** The log of one that starts. */
async function logOf(settings: SettingsPart): Promise<string[]> {
  const own = await startOwn(settings);
  await own.server.stop();
  return own.log;
}

describe("A server with TLS", { timeout: 60_000 }, () => {
  let own: Own;
  let trust: TlsClient;
  let websocket: string;
  let http: string;
  beforeAll(async () => {
    own = await startOwn({ tls: named, development: true, websocket: { welcome: "immediate" } });
    trust = { ca: authority.cert };
    websocket = `wss://127.0.0.1:${own.server.port}`;
    http = `https://127.0.0.1:${own.server.httpPort}`;
  }, 60_000);
  afterAll(() => own?.server.stop());

  it("says so in the welcome, the metrics and its tools", async () => {
    const client = await FrameClient.open(websocket, trust);
    expect((await client.next()).data).toMatchObject({ secure: true, tls_mode: "WSS" });
    const { body } = await get(`${http}/metrics`, {}, trust);
    expect(body).toMatch(/^websocket_connections_total\{[^}]*tls_mode="wss"[^}]*\} [1-9]/m);
    expect(body).not.toContain('tls_mode="ws"');
    const call = {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: { name: "websocket_status", arguments: {} },
    };
    const answer = await post(`${http}/mcp`, call, { accept: "application/json, text/event-stream" }, trust);
    expect(JSON.stringify(answer.body)).toContain(`wss://127.0.0.1:${own.server.port}`);
    await client.close();
  });

  it("serves requests, events to all, and HTTP, on both ports, to clients that check its certificate", async () => {
    const clients = await Promise.all(
      [websocket, `wss://localhost:${own.server.httpPort}/ws`].map((url) => FrameClient.open(url, trust)),
    );
    for (const client of clients) await client.request("subscribe", { channel: "thing:t1" });
    expect((await clients[0]!.request("make", { thing_id: "t1" })).data.count).toBe(1);
    const made = await post(`${http}/api/requests/make`, { thing_id: "t1" }, {}, trust);
    expect(made).toMatchObject({ status: 200, body: { count: 2 } });
    for (const client of clients) {
      await expect.poll(() => client.events("thing:t1").length, { timeout: 20_000 }).toBe(2);
      await client.close();
    }
    const health = `https://127.0.0.1:${own.server.port}/health`;
    expect((await get(health, {}, trust)).body).toMatchObject({ status: "healthy" });
  });

  it("is not reached by a client that trusts somebody else", async () => {
    const stranger = await makeAuthority();
    await expect(FrameClient.open(websocket, { ca: stranger.cert })).rejects.toThrow(/certificate/);
    await expect(get(`${http}/health`, {}, { ca: stranger.cert })).rejects.toThrow(/certificate/);
  });

  it("lets pages of its own in, by https, and refuses others with 403", async () => {
    const { port, httpPort } = own.server;
    for (
      const origin of [`https://127.0.0.1:${httpPort}`, `https://localhost:${port}`, "https://localhost:8678"]
    ) {
      const client = await FrameClient.open(websocket, { ...trust, origin });
      await client.close();
      expect((await get(`${http}/health`, { origin }, trust)).status).toBe(200);
    }
    for (const origin of ["https://evil.example", "https://localhost", "https://localhost:1", "null"]) {
      expect((await refusedUpgrade(websocket, { ...trust, origin })).status).toBe(403);
      expect((await post(`${http}/api/requests/make`, { thing_id: "x" }, { origin }, trust)).status).toBe(
        403,
      );
    }
    expect((await refusedUpgrade(websocket, { ...trust, headers: { host: "evil.example" } })).status).toBe(
      403,
    );
  });

  it("ends a message that is too large with 1009, and goes on serving", async () => {
    const client = await FrameClient.open(websocket, trust);
    client.send("x".repeat(1_048_577));
    expect((await client.closed).code).toBe(1009);
    expect((await get(`${http}/health`, {}, trust)).status).toBe(200);
  });

  it("serves the client of this package, which is given a certificate to trust", async () => {
    class Trusting extends WebSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url, protocols, { ca: trust.ca });
      }
    }
    const client = createClient<typeof ownContract>({
      url: websocket,
      WebSocket: Trusting as unknown as WebSocketClass,
    });
    const things = client.subscribe("thing:t2");
    await client.request("make", { thing_id: "t2" });
    for await (const item of things) {
      if (item.type !== "event") continue;
      expect(item).toMatchObject({ event: "thing.made", data: { thing_id: "t2" } });
      break;
    }
    client.close();
  });

  it("tells its clients to leave when it stops", async () => {
    const other = await startOwn({ tls: named });
    const client = await FrameClient.open(`wss://127.0.0.1:${other.server.port}`, trust);
    await other.server.stop();
    expect((await client.closed).code).toBe(1001);
  });

  it("checks tokens before the upgrade, as without TLS", async () => {
    const secured = await startOwn({
      tls: named,
      auth: { required: true, secret: "a secret for this test only" },
    });
    try {
      const url = `wss://127.0.0.1:${secured.server.port}`;
      const refusal = await refusedUpgrade(url, { ...trust, headers: { authorization: "Bearer none" } });
      expect(refusal.status).toBe(401);
      const token = await createToken({
        secret: "a secret for this test only",
        clock: systemClock,
        userId: "someone",
        permissions: ["own:read"],
        expiresInSeconds: 60,
      });
      const headers = { authorization: `Bearer ${token}` };
      const client = await FrameClient.open(url, { ...trust, headers });
      expect((await client.request("look")).data).toEqual({ count: 0 });
      await client.close();
      const anonymous = await FrameClient.open(url, trust);
      anonymous.send({ type: "request", id: "1", event: "look", data: {} });
      expect((await anonymous.closed).code).toBe(1008);
    } finally {
      await secured.server.stop();
    }
  });

  it("needs client certificates only where it is told to, and warns of authorities that do nothing", async () => {
    const ca_file = await files.write("clients.pem", authority.cert);
    const unused = await startOwn({ tls: { ...named, ca_file } });
    expect(unused.log.join("\n")).toContain(
      "WARN  The setting tls.ca_file does nothing, as tls.verify_client is false",
    );
    expect((await get(`https://127.0.0.1:${unused.server.httpPort}/health`, {}, trust)).status).toBe(200);
    await unused.server.stop();

    const strict = await startOwn({ tls: { ...named, ca_file, verify_client: true } });
    try {
      const known = { ...trust, ...await authority.issue({ name: "client" }) };
      for (const port of [strict.server.port, strict.server.httpPort]) {
        expect((await get(`https://127.0.0.1:${port}/health`, {}, known)).status).toBe(200);
        await expect(get(`https://127.0.0.1:${port}/health`, {}, trust)).rejects.toThrow();
      }
      const client = await FrameClient.open(`wss://127.0.0.1:${strict.server.port}`, known);
      await client.close();
      await expect(FrameClient.open(`wss://127.0.0.1:${strict.server.port}`, trust)).rejects.toThrow();
    } finally {
      await strict.server.stop();
    }
  });
});

describe("The certificate of a server", { timeout: 60_000 }, () => {
  it("is named in the log by its fingerprint, and its key is not in it", async () => {
    const log = (await logOf({ tls: named })).join("\n");
    expect(log).toMatch(/INFO {2}TLS is on .*expires=20/);
    expect(log).toContain(`fingerprint=${new X509Certificate(pair.cert).fingerprint256}`);
    for (const line of pair.key.split("\n").filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line))) {
      expect(log).not.toContain(line);
    }
  });

  it("keeps the server from starting where it has expired, or is not valid yet", async () => {
    const expired = await files.store("expired", await authority.issue({ fromDays: -40, toDays: -1 }));
    expect(await fault({ tls: expired })).toMatch(
      new RegExp(
        `^CertificateError: Cannot use the certificate "${expired.cert_file}": it expired at 20\\S+Z; renew it$`,
      ),
    );
    const future = await files.store("future", await authority.issue({ fromDays: 1, toDays: 40 }));
    expect(await fault({ tls: future })).toMatch(
      /^CertificateError: Cannot use the certificate "\S+": it is valid from 20\S+Z on only; wait, or set the clock right$/,
    );
  });

  it("is warned of below 30 days, and not above", async () => {
    const soon = await files.store("soon", await authority.issue({ toDays: 29.5 }));
    expect((await logOf({ tls: soon })).find((line) => line.includes("expires soon")))
      .toMatch(/WARN {2}The certificate expires soon: renew it .*days=29/);
    const later = await files.store("later", await authority.issue({ toDays: 31 }));
    expect((await logOf({ tls: later })).join("\n")).not.toContain("expires soon");
  });

  it("keeps the server from starting where a file is missing or the key is another's, and nothing stays open", async () => {
    const missing = { cert_file: files.path("no.pem"), key_file: named.key_file };
    expect(await fault({ tls: missing })).toBe(
      `CertificateError: Cannot read the certificate "${missing.cert_file}": there is no such file`,
    );
    const other = await files.store("other", await authority.issue());
    expect(await fault({ tls: { cert_file: named.cert_file, key_file: other.key_file } })).toContain(
      `Cannot use the key "${other.key_file}": it is not that of the certificate "${named.cert_file}"`,
    );
    const ca_file = await files.write("empty.pem", "");
    expect(await fault({ tls: { ...named, ca_file, verify_client: true } })).toContain(
      `Cannot use the certificates "${ca_file}"`,
    );
  });

  it("for development is told of as such, with its fingerprint, and fits what is listened on", async () => {
    const own = await startOwn({ tls: { dev_certificate: true }, websocket: { host: "127.0.0.3" } });
    try {
      const line = own.log.find((line) => line.includes("development certificate"))!;
      expect(line).toMatch(/WARN {2}TLS with a development certificate, which no client trusts by itself/);
      const seen = await new Promise<X509Certificate>((resolve, reject) => {
        const ws = new WebSocket(`wss://127.0.0.3:${own.server.port}`, { rejectUnauthorized: false });
        ws.on("error", reject);
        ws.on("upgrade", (response) => {
          resolve((response.socket as import("node:tls").TLSSocket).getPeerX509Certificate()!);
          ws.terminate();
        });
      });
      expect(line).toContain(`fingerprint=${seen.fingerprint256}`);
      const trust = { ca: seen.toString() };
      for (const host of ["127.0.0.3", "localhost"]) {
        const url = host === "localhost"
          ? `https://localhost:${own.server.httpPort}/health`
          : `https://${host}:${own.server.port}/health`;
        expect((await get(url, {}, trust)).status).toBe(200);
      }
    } finally {
      await own.server.stop();
    }
  });

  it("for development is kept where files are named, and an expired one says what to do", async () => {
    const kept = {
      cert_file: files.path("kept.pem"),
      key_file: files.path("kept.key"),
      dev_certificate: true,
    };
    const fingerprint = (log: string[]) => /fingerprint=(\S+)/.exec(log.join("\n"))?.[1];
    const first = await logOf({ tls: kept });
    const second = await logOf({ tls: kept });
    expect(fingerprint(first)).toBe(fingerprint(second));
    expect(first.join("\n")).not.toContain("expires soon");
    const expired = await files.store("old", await authority.issue({ fromDays: -40, toDays: -1 }));
    expect(await fault({ tls: { ...expired, dev_certificate: true } })).toContain(
      "; remove it and its key, and new ones are made",
    );
  });
});
