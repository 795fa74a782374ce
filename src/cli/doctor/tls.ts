/**
 * What the ports of a service are encrypted with.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isLoopback } from "../../settings/cross-checks.ts";
import { fail, failWith, type Findings, ok, warn } from "./finding.ts";
import type { Subject } from "./subject.ts";

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is warned of, or one of whose time less than a third is left: some are short-lived. */
const SOON_MS = 30 * DAY_MS;

const ADVICE = "correct tls.cert_file, tls.key_file or tls.ca_file";

export async function* examineTls(subject: Subject): Findings {
  const { settings: { tls, websocket, http } } = subject;
  if (!tls.enabled) {
    const hosts = [...websocket.enabled ? [websocket.host] : [], http.host];
    if (hosts.every(isLoopback)) {
      return yield ok("tls.enabled", "TLS is off, and only this machine can reach it");
    }
    return yield warn(
      "tls.enabled",
      "TLS is off, and it listens beyond this machine: tokens and events can be read on the way",
      "set tls.cert_file and tls.key_file, or let a proxy on this machine speak TLS",
    );
  }
  if (tls.dev_certificate) {
    yield warn(
      "tls.certificate",
      "The certificate is one for development, which no client trusts by itself",
      "set tls.cert_file and tls.key_file to real ones before others use this service",
    );
  } else yield* examineCertificate(subject);
  if (tls.verify_client) yield* examineAuthorities(subject);
  else if (tls.ca_file !== undefined) {
    yield warn(
      "tls.ca_file",
      "The setting tls.ca_file does nothing, as tls.verify_client is false",
      "set tls.verify_client: true, or leave tls.ca_file out",
    );
  }
}

async function* examineCertificate({ settings: { tls }, runtime, clock }: Subject): Findings {
  const check = "tls.certificate";
  const { cert_file: certFile = "", key_file: keyFile = "" } = tls;
  try {
    const { validFrom, validTo } = await runtime.certificates.read({ certFile, keyFile });
    const date = (time: number) => new Date(time).toISOString();
    const now = clock.now();
    const days = Math.floor((validTo - now) / DAY_MS);
    if (now > validTo) {
      yield fail(check, `The certificate "${certFile}" expired at ${date(validTo)}`, "renew it");
    } else if (now < validFrom) {
      yield fail(
        check,
        `The certificate "${certFile}" is valid from ${date(validFrom)} on only`,
        "wait, or set the clock right",
      );
    } else if (validTo - now < Math.min(SOON_MS, (validTo - validFrom) / 3)) {
      yield warn(check, `The certificate "${certFile}" is valid for ${days} days more`, "renew it");
    } else {yield ok(
        check,
        `The certificate "${certFile}" and its key belong together, valid for ${days} days`,
      );}
  } catch (error) {
    yield failWith(check, error, ADVICE);
  }
  const facts = await stat(resolve(keyFile)).catch(() => null);
  if (facts !== null && facts.mode & 0o004) {
    yield warn(
      "tls.key",
      `Everybody on this machine may read the key "${keyFile}"`,
      `chmod 600 "${keyFile}"`,
    );
  }
}

async function* examineAuthorities({ settings: { tls }, runtime }: Subject): Findings {
  const check = "tls.ca_file";
  try {
    await runtime.certificates.readAuthorities(tls.ca_file ?? "");
    yield ok(check, `Clients need a certificate by one of "${tls.ca_file}"`);
  } catch (error) {
    yield failWith(check, error, ADVICE);
  }
}
