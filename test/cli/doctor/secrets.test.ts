/** What `doctor` finds of secrets, keys and certificates. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { useBuiltScratch } from "../../support/built-scratch.ts";
import { makeAuthority } from "../../support/certificates.ts";
import { freePort } from "../../support/serve-process.ts";
import { examined, folderIn } from "./examined.ts";

const PATIENCE_MS = 120_000;

const scratch = useBuiltScratch();
const folderWith = (settings: Record<string, unknown>, service?: string) =>
  folderIn(scratch.folder, settings, service);

describe("doctor, of secrets and certificates", { timeout: PATIENCE_MS }, () => {
  test("finds secrets that protect nothing, and keys that cannot be read", async () => {
    const short = await examined(await folderWith({ auth: { required: true, secret: "short-77" } }));
    expect(short.of("auth.secret")).toMatch(/^warn: The secret of tokens is shorter than 32 bytes/);
    expect(JSON.stringify(short.found)).not.toContain("short-77");
    const known = await examined(
      await folderWith({ auth: { secret: "dev-secret-change-in-production" }, development: true }),
    );
    expect(known.of("auth.secret")).toMatch(/^warn: The secret is the development secret/);
    const none = await examined(await folderWith({ auth: { required: true } }));
    expect(none.of("settings")).toMatch(/expected a secret or keys beside it/);
    const keys = await examined(await folderWith({ auth: { required: true, jwks_file: "keys.json" } }));
    expect(keys.of("auth.keys")).toMatch(
      /^fail: .* from the file "keys\.json": expected a file, got "keys\.json", which/,
    );
    const url = `http://127.0.0.1:${await freePort()}/keys?code=hush`;
    const away = await examined(await folderWith({ auth: { required: true, jwks_url: url } }));
    expect(away.of("auth.keys")).toMatch(
      /^fail: The keys for tokens cannot be read from the address http:[^?]*\/keys\?…: /,
    );
  });

  test("finds certificates that are missing, foreign, expired or soon will be", async () => {
    const authority = await makeAuthority();
    const pair = await authority.issue();
    const other = await authority.issue();
    const told = async (cert: string | null, key: string) => {
      const folder = await folderWith({ tls: { cert_file: "a.pem", key_file: "a.key" } });
      if (cert !== null) await writeFile(join(folder, "a.pem"), cert);
      await writeFile(join(folder, "a.key"), key, { mode: 0o600 });
      const { of, found } = await examined(folder);
      expect(JSON.stringify(found)).not.toContain("PRIVATE KEY");
      return of("tls.certificate");
    };
    expect(await told(pair.cert, pair.key)).toMatch(/^ok: .* belong together, valid for \d+ days$/);
    expect(await told(null, pair.key)).toMatch(
      /^fail: Cannot read the certificate "a\.pem": there is no such file → /,
    );
    expect(await told(pair.cert, other.key)).toMatch(
      /^fail: .*it is not that of the certificate "a\.pem" → name the key/,
    );
    expect(await told("nothing", pair.key)).toMatch(/^fail: /);
    const expired = await authority.issue({ fromDays: -9, toDays: -2 });
    expect(await told(expired.cert, expired.key)).toMatch(
      /^fail: The certificate "a\.pem" expired at .* → renew it$/,
    );
    // As one for development: it has just been made.
    const short = await authority.issue({ fromDays: -1, toDays: 29 });
    expect(await told(short.cert, short.key)).toMatch(/^ok: .* belong together, valid for \d+ days$/);
    const soon = await authority.issue({ fromDays: -300, toDays: 25 });
    expect(await told(soon.cert, soon.key)).toMatch(/^warn: .* is valid for \d+ days more → renew it$/);
    const folder = await folderWith({ tls: { cert_file: ".", key_file: "." } });
    const { of } = await examined(folder);
    expect(of("tls.certificate")).toMatch(/^fail: Cannot read "\S+": it is a folder → name a file/);
    expect(of("ports.http")).toMatch(/^ok: Port \d+ on 127\.0\.0\.1 is free$/);
    const early = await authority.issue({ fromDays: 3 });
    expect(await told(early.cert, early.key)).toMatch(
      /^fail: .* is valid from .* on only → wait, or set the clock right$/,
    );
  });

  test("warns of a service that everybody may reach and use", async () => {
    const folder = await folderWith({
      allow_insecure: true,
      http: { host: "0.0.0.0", port: await freePort() },
    });
    const { of } = await examined(folder);
    expect(of("auth.required")).toMatch(
      /^warn: No token is asked for, and akosha listens beyond this machine/,
    );
    expect(of("tls.enabled")).toMatch(/^warn: TLS is off, and it listens beyond this machine/);
  });
});
