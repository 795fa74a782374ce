import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServerCertificate } from "../../src/ports/certificates.ts";
import { namesFor } from "../../src/runtimes/development-certificate.ts";
import {
  type Authority,
  DAY_MS,
  type Files,
  makeAuthority,
  makeFiles,
  type Pair,
} from "../support/certificates.ts";
import { hasRuntime, type RuntimeName, startProgram } from "../support/start-program.ts";

const PROGRAM = new URL("./certificates-program.ts", import.meta.url).pathname;

let files: Files;
let authority: Authority;
let pair: Pair;
beforeAll(async () => {
  files = await makeFiles();
  authority = await makeAuthority();
  pair = await authority.issue({ toDays: 90 });
}, 60_000);
afterAll(() => files.remove());

/** What the runtime says to each call, in order. */
async function ask<Outcome>(runtime: RuntimeName, calls: readonly object[]): Promise<Outcome[]> {
  const program = await startProgram<Outcome[]>(runtime, PROGRAM, { args: [JSON.stringify(calls)] });
  await program.ended;
  return program.ready;
}

describe.each<RuntimeName>(["node", "deno", "bun"])("certificates on %s", (runtime) => {
  describe.runIf(hasRuntime(runtime))("are", { timeout: 60_000 }, () => {
    it("read with the intermediate ones after it, in PEM, as text and dates", async () => {
      const certFile = await files.write("chain.pem", `A note.\n${pair.cert}\n${authority.cert}\n`);
      const keyFile = await files.write("chain.key", pair.key);
      const [read] = await ask<ServerCertificate>(runtime, [{ read: { certFile, keyFile } }]);
      const expected = new X509Certificate(pair.cert);
      expect(read).toEqual({
        cert: `A note.\n${pair.cert}\n${authority.cert}\n`,
        key: pair.key,
        fingerprint: expected.fingerprint256,
        validFrom: Date.parse(expected.validFrom),
        validTo: Date.parse(expected.validTo),
      });
      expect(read!.validTo - Date.now()).toBeGreaterThan(89 * DAY_MS);
    });

    it("refused with a sentence that names the file and holds nothing of a key", async () => {
      const certFile = await files.write("good.pem", pair.cert);
      const keyFile = await files.write("good.key", pair.key);
      const otherKey = await files.write("other.key", (await authority.issue()).key);
      const encrypted = await files.write(
        "encrypted.key",
        String(
          createPrivateKey(pair.key).export({
            type: "pkcs8",
            format: "pem",
            cipher: "aes-256-cbc",
            passphrase: "secret",
          }),
        ),
      );
      const text = await files.write("text.txt", "no certificate at all");
      const damaged = await files.write("damaged.pem", pair.cert.replace(/\n.{20}/, "\nAAAA"));
      const brokenKey = await files.write("broken.key", pair.key.replace(/\n.{20}/, "\nAAAA"));
      const gone = files.path("gone.pem");
      const cases: [object, string][] = [
        [{ certFile: gone, keyFile }, `Cannot read the certificate "${gone}": there is no such file`],
        [{ certFile, keyFile: gone }, `Cannot read the key "${gone}": there is no such file`],
        [
          { certFile: files.folder, keyFile },
          `Cannot read "${files.folder}": it is a folder; name a file`,
        ],
        [
          { certFile: text, keyFile },
          `Cannot use the certificate "${text}": expected PEM text with -----BEGIN CERTIFICATE-----, got something else`,
        ],
        [
          { certFile: keyFile, keyFile },
          `Cannot use the certificate "${keyFile}": expected PEM text with -----BEGIN CERTIFICATE-----, got something else`,
        ],
        [
          { certFile: damaged, keyFile },
          `Cannot use the certificate "${damaged}": it is damaged; put it there anew`,
        ],
        [
          { certFile, keyFile: certFile },
          `Cannot use the key "${certFile}": expected PEM text with -----BEGIN PRIVATE KEY-----, got something else`,
        ],
        [
          { certFile, keyFile: brokenKey },
          `Cannot use the key "${brokenKey}": expected PEM text with -----BEGIN PRIVATE KEY-----, got something else`,
        ],
        [
          { certFile, keyFile: encrypted },
          `Cannot use the key "${encrypted}": it is encrypted; store it without a passphrase, readable by this user only`,
        ],
        [
          { certFile, keyFile: otherKey },
          `Cannot use the key "${otherKey}": it is not that of the certificate "${certFile}"; name the key that belongs to it`,
        ],
      ];
      const said = await ask(runtime, cases.map(([read]) => ({ read })));
      expect(said).toEqual(cases.map(([, message]) => ({ name: "CertificateError", message })));
    });

    it("read of several authorities, and refused where one is damaged or there is none", async () => {
      const second = await makeAuthority();
      const both = await files.write("both.pem", `${authority.cert}\n${second.cert}\n`);
      const damaged = await files.write(
        "one-damaged.pem",
        `${authority.cert}\n${second.cert.replace(/\n.{20}/, "\nAAAA")}`,
      );
      const text = await files.write("none.pem", "nobody");
      expect(await ask(runtime, [both, damaged, text].map((authorities) => ({ authorities })))).toEqual([
        `${authority.cert.trim()}\n${second.cert.trim()}`,
        {
          name: "CertificateError",
          message: `Cannot use the certificates "${damaged}": it is damaged; put it there anew`,
        },
        {
          name: "CertificateError",
          message:
            `Cannot use the certificates "${text}": expected PEM text with -----BEGIN CERTIFICATE-----, got something else`,
        },
      ]);
    });

    it("made for development, with entries of the right kind, for 30 days, the same one for the same hosts", async () => {
      const hosts = ["192.0.2.7", "0.0.0.0", "rt.example"];
      const calls = [{ hosts }, { hosts }, { hosts: [] }].map((development) => ({ development }));
      const [first, again, other] = await ask<ServerCertificate>(runtime, calls);
      expect(again).toEqual(first);
      expect(other!.fingerprint).not.toBe(first!.fingerprint);
      const certificate = new X509Certificate(first!.cert);
      const entries = certificate.subjectAltName!.split(", ");
      expect(entries).toEqual(expect.arrayContaining([
        "DNS:localhost",
        `DNS:${hostname().toLowerCase()}`,
        "DNS:rt.example",
        "IP Address:127.0.0.1",
        "IP Address:0:0:0:0:0:0:0:1",
        "IP Address:192.0.2.7",
      ]));
      expect(entries).not.toContain("IP Address:0.0.0.0");
      expect(entries.filter((entry) => /^DNS:[\d.:]+$/.test(entry))).toEqual([]);
      expect(certificate.ca).toBe(false);
      expect(certificate.checkPrivateKey(createPrivateKey(first!.key))).toBe(true);
      expect(certificate.verify(certificate.publicKey)).toBe(true);
      expect(first!.fingerprint).toBe(certificate.fingerprint256);
      expect(Math.abs(first!.validFrom - Date.now())).toBeLessThan(DAY_MS / 24);
      expect(first!.validTo - first!.validFrom).toBe(30 * DAY_MS);
    });

    it("made and kept where files are named, with a key that only this user reads, and used from then on", async () => {
      const certFile = files.path(`${runtime}/kept/dev.pem`);
      const keyFile = files.path(`${runtime}/kept/dev.key`);
      const development = { hosts: [], files: { certFile, keyFile } };
      const [made] = await ask<ServerCertificate>(runtime, [{ development }]);
      expect([await readFile(certFile, "utf8"), await readFile(keyFile, "utf8")]).toEqual([
        made!.cert,
        made!.key,
      ]);
      expect((await stat(keyFile)).mode & 0o777).toBe(0o600);
      const [used] = await ask<ServerCertificate>(runtime, [{ development }]);
      expect(used).toEqual(made);

      const half = { hosts: [], files: { certFile, keyFile: files.path("lost.key") } };
      expect(await ask(runtime, [{ development: half }])).toEqual([{
        name: "CertificateError",
        message: `Cannot read the key "${files.path("lost.key")}": there is no such file`,
      }]);
    });
  });
});

describe("namesFor", () => {
  it("takes names and addresses in one form, each once, and nothing else", () => {
    const own = hostname().toLowerCase();
    const odd = ["LOCALHOST.", "a b", "*", "x,y=z", "", "::1", "fe80::1%eth0", "rt.Example", "127.0.0.1"];
    expect(namesFor(odd)).toEqual([...new Set(["127.0.0.1", "::1", "localhost", own, "rt.example"])].sort());
  });

  it("adds the addresses of this machine where all of them are listened on", () => {
    expect(namesFor(["::"]).length).toBeGreaterThanOrEqual(namesFor([]).length);
    expect(namesFor(["::"])).not.toContain("::");
  });
});
