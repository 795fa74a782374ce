/**
 * Ports that speak TLS, on every runtime: what they agree to, whom they refuse, and that nobody is harmed by it.
 */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PortTls } from "../../src/ports/runtime.ts";
import { type Authority, makeAuthority, type Pair } from "../support/certificates.ts";
import { get, send, type TlsClient } from "../support/http-client.ts";
import { hasRuntime, type Program, type RuntimeName, startProgram } from "../support/start-program.ts";
import { TextClient } from "../support/text-client.ts";

const PROGRAM = new URL("./tls-program.ts", import.meta.url).pathname;
const HOST = "127.0.0.1";

interface Ready {
  readonly port: number;
  readonly fault?: string;
}

/** What a handshake came to: the protocol and suite agreed on, or the error. */
interface Outcome {
  readonly protocol: string | null;
  readonly suite: string;
  readonly alpn: string | false | null;
}

let authority: Authority;
let rsaAuthority: Authority;
let server: Pair;
let rsaServer: Pair;
beforeAll(async () => {
  authority = await makeAuthority();
  rsaAuthority = await makeAuthority("rsa");
  server = await authority.issue();
  rsaServer = await rsaAuthority.issue();
}, 60_000);

function start(runtime: RuntimeName, tls: PortTls): Promise<Program<Ready>> {
  return startProgram<Ready>(runtime, PROGRAM, { environment: { PORT_TLS: JSON.stringify(tls) } });
}

/** Shake hands as a client that checks the certificate. Null: it was refused. */
async function shakeHands(port: number, options: ConnectionOptions): Promise<Outcome | null> {
  const socket = connect({ port, host: HOST, ca: authority.cert, ...options });
  socket.on("error", () => {});
  return await new Promise((resolve) => {
    socket.once("close", () => resolve(null));
    socket.once("secureConnect", () => {
      resolve({ protocol: socket.getProtocol(), suite: socket.getCipher().name, alpn: socket.alpnProtocol });
      socket.destroy();
    });
  });
}

const version = (name: "TLSv1.1" | "TLSv1.2" | "TLSv1.3", ciphers?: string): ConnectionOptions => ({
  minVersion: name,
  maxVersion: name,
  ...(ciphers === undefined ? {} : { ciphers }),
});

/** What a bare connection to the port says until it ends. */
async function untilEnd(socket: Socket): Promise<string> {
  let text = "";
  socket.setEncoding("latin1").on("data", (part: string) => void (text += part));
  socket.on("error", () => {});
  if (!socket.closed) await once(socket, "close");
  return text;
}

describe.each<RuntimeName>(["node", "deno", "bun"])("a port with TLS on %s", (runtime) => {
  describe.runIf(hasRuntime(runtime))("that asks for no client certificate", { timeout: 60_000 }, () => {
    let program: Program<Ready>;
    let port: number;
    let trust: TlsClient;
    beforeAll(async () => {
      program = await start(runtime, server);
      port = program.ready.port;
      trust = { ca: authority.cert };
    }, 60_000);
    afterAll(() => program?.stop());

    const lives = async () => {
      expect((await get(`https://${HOST}:${port}/`, {}, trust)).body).toBe("served");
    };

    it.each(["TLSv1.2", "TLSv1.3"] as const)("speaks %s", async (name) => {
      expect(await shakeHands(port, version(name))).toMatchObject({ protocol: name });
    });

    it("speaks nothing older", async () => {
      expect(await shakeHands(port, version("TLSv1.1", "DEFAULT@SECLEVEL=0"))).toBeNull();
      await lives();
    });

    it.each(["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"])(
      "has the suite ECDHE-ECDSA-%s",
      async (cipher) => {
        const suite = `ECDHE-ECDSA-${cipher}`;
        expect(await shakeHands(port, version("TLSv1.2", suite))).toMatchObject({ suite });
      },
    );

    it.each(["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384"])(
      "has no suite %s",
      async (suite) => {
        expect(await shakeHands(port, version("TLSv1.2", `${suite}:@SECLEVEL=0`))).toBeNull();
      },
    );

    it("agrees to HTTP/1.1 and never to HTTP/2", async () => {
      const both = await shakeHands(port, { ALPNProtocols: ["h2", "http/1.1"] });
      expect(["http/1.1", false]).toContain(both?.alpn);
      const newer = await shakeHands(port, { ALPNProtocols: ["h2"] });
      expect([undefined, false]).toContain(newer?.alpn);
    });

    it("is refused by a client that trusts somebody else, or that looks for another name", async () => {
      expect(await shakeHands(port, { ca: rsaAuthority.cert })).toBeNull();
      expect(await shakeHands(port, { servername: "other.example" })).toBeNull();
      await lives();
    });

    it("gives a client of plain HTTP no answer that is one, and serves the others", async () => {
      const plain = connectTcp(port, HOST);
      plain.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
      expect(await untilEnd(plain)).not.toContain("HTTP/1.1");
      await expect(TextClient.open(`ws://${HOST}:${port}/ws`)).rejects.toThrow();
      await lives();
    });

    it("ends handshakes of garbage, and survives those that are reset", async () => {
      for (const bytes of ["\x16\x03\x01\xff\xff\xff", "\0".repeat(1_000), "\x15\x03\x03\0\x02\x02\x28"]) {
        const peer = connectTcp(port, HOST);
        peer.write(bytes, "latin1");
        peer.end();
        await untilEnd(peer);
      }
      for (let i = 0; i < 20; i++) {
        const peer = connectTcp(port, HOST);
        peer.on("error", () => {});
        await once(peer, "connect");
        peer.write("\x16\x03\x01\x02\0\x01\0", "latin1");
        peer.resetAndDestroy();
      }
      await lives();
    });

    it("ends handshakes that are begun and not finished, however they are drawn out", async () => {
      const silent = connectTcp(port, HOST);
      const slow = connectTcp(port, HOST);
      const hello = Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), Buffer.alloc(500)]);
      let sent = 0;
      const dripping = setInterval(() => slow.write(hello.subarray(sent, ++sent)), 500);
      try {
        const ends = Promise.all([untilEnd(silent), untilEnd(slow)]);
        await lives();
        await ends;
      } finally {
        clearInterval(dripping);
      }
      // Not since it had sent all of it.
      expect(sent).toBeLessThan(hello.length);
      await lives();
    });

    it("answers an upgrade to something else as a plain request", async () => {
      const headers = {
        connection: "Upgrade, HTTP2-Settings",
        upgrade: "h2c",
        "http2-settings": "AAMAAABkAAQA",
      };
      expect(await send("GET", `https://${HOST}:${port}/`, headers, "", trust)).toMatchObject({
        status: 200,
        body: "served",
      });
    });

    it("lets the answer to a request that it does not read to its end reach the client", async () => {
      const answer = await send("POST", `https://${HOST}:${port}/`, {}, "x".repeat(3_000_000), trust);
      expect(answer).toMatchObject({ status: 413, body: "too much" });
    });

    it("closes without waiting for handshakes under way, or for connections that ask for nothing", async () => {
      const shaking = connectTcp(port, HOST);
      shaking.on("error", () => {});
      await once(shaking, "connect");
      const idle: TLSSocket = connect({ port, host: HOST, ca: authority.cert });
      idle.on("error", () => {});
      await once(idle, "secureConnect");
      await lives();
      expect(await program.stop()).toBe(0);
      const took = Number((await program.line((line) => line.startsWith("free after"))).split(" ")[2]);
      // Far from the time that it gives to requests under way.
      expect(took).toBeLessThan(7_000);
      shaking.destroy();
      idle.destroy();
    });
  });

  it.runIf(hasRuntime(runtime))("has the RSA suites for a key of RSA", { timeout: 60_000 }, async () => {
    const program = await start(runtime, rsaServer);
    const { port } = program.ready;
    const ca = rsaAuthority.cert;
    try {
      // The first is what existing clients' tests offer.
      for (const cipher of ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]) {
        const suite = `ECDHE-RSA-${cipher}`;
        expect(await shakeHands(port, { ca, ...version("TLSv1.2", suite) })).toMatchObject({ suite });
      }
      for (const suite of ["AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-SHA"]) {
        expect(await shakeHands(port, { ca, ...version("TLSv1.2", suite) })).toBeNull();
      }
    } finally {
      await program.stop();
    }
  });

  describe.runIf(hasRuntime(runtime))("that needs a client's certificate", { timeout: 60_000 }, () => {
    let program: Program<Ready>;
    let address: string;
    beforeAll(async () => {
      program = await start(runtime, { ...server, clientAuthorities: authority.cert });
      address = `${HOST}:${program.ready.port}`;
    }, 60_000);
    afterAll(() => program?.stop());

    const ca = () => authority.cert;

    it("serves a client that shows one", async () => {
      const client = { ca: ca(), ...await authority.issue({ name: "client" }) };
      expect((await get(`https://${address}/`, {}, client)).body).toBe("served");
      const socket = await TextClient.open(`wss://${address}/ws`, client);
      expect(await socket.ask("hello")).toBe("echo hello");
      await socket.close();
    });

    it("refuses a client that shows none, one of another authority, or one that has expired", async () => {
      const stranger = await makeAuthority();
      const refused: TlsClient[] = [
        { ca: ca() },
        { ca: ca(), ...await stranger.issue({ name: "client" }) },
        { ca: ca(), ...await authority.issue({ name: "client", fromDays: -9, toDays: -1 }) },
      ];
      for (const client of refused) {
        await expect(get(`https://${address}/`, {}, client)).rejects.toThrow();
        await expect(TextClient.open(`wss://${address}/ws`, client)).rejects.toThrow();
      }
    });
  });
});

it.runIf(hasRuntime("node"))("A key that does not fit keeps a port shut", { timeout: 60_000 }, async () => {
  const other = await authority.issue();
  for (const runtime of ["node", "bun"] as const) {
    if (!hasRuntime(runtime)) continue;
    const program = await start(runtime, { cert: server.cert, key: other.key });
    expect(program.ready.fault).toBe(
      "ListenError: Cannot listen on 127.0.0.1:0: its certificate or key is refused; use a certificate with the key " +
        "that belongs to it, RSA of 2,048 bits or EC",
    );
    await program.ended;
  }
});
