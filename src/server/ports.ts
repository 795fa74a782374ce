/**
 * Opening the ports of a server: what they are encrypted with, and which setting is to blame where one stays shut.
 *
 * @module
 */
import { CertificateError, type ServerCertificate } from "../ports/certificates.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type FetchApp, type Listener, ListenError, type PortTls, type Runtime } from "../ports/runtime.ts";
import type { Settings } from "../settings/schema.ts";
import type { ServerLimits } from "./server-limits.ts";

export interface PortParts {
  /** The service's name. */
  readonly service: string;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: ServerLimits;
}

const DAY_MS = 86_400_000;
/** A certificate that ends sooner is warned of. */
const SOON_DAYS = 30;

/**
 * What the ports are encrypted with; undefined where TLS is off.
 *
 * @throws {CertificateError} where a file cannot be used, or the certificate is not valid now.
 */
export async function readTls(
  { service, settings, runtime, clock, log }: PortParts,
): Promise<PortTls | undefined> {
  const { tls, websocket, http, hosts } = settings;
  if (!tls.enabled) return undefined;
  const { certificates } = runtime;
  const { cert_file: certFile, key_file: keyFile, ca_file: caFile } = tls;
  const files = certFile === undefined || keyFile === undefined ? undefined : { certFile, keyFile };
  let certificate: ServerCertificate;
  if (tls.dev_certificate) {
    const names = [websocket.host, http.host, ...hosts.allowed.map((host) => host.replace(/:\d+$/, ""))];
    certificate = await certificates.forDevelopment({ hosts: names, ...(files ? { files } : {}) });
  } else if (files) certificate = await certificates.read(files);
  else {throw new CertificateError(
      "Cannot speak TLS without a certificate: set tls.cert_file and tls.key_file",
    );}
  if (files) {
    const days = judge(certificate, files.certFile, clock.now(), tls.dev_certificate);
    // One for development is never valid for longer.
    if (days < SOON_DAYS && !tls.dev_certificate) {
      log.warn("The certificate expires soon: renew it", { service, file: files.certFile, days });
    }
  }
  const facts = {
    service,
    fingerprint: certificate.fingerprint,
    expires: new Date(certificate.validTo).toISOString(),
    clients: tls.verify_client ? "need a certificate" : "need no certificate",
  };
  if (tls.dev_certificate) {
    log.warn("TLS with a development certificate, which no client trusts by itself", facts);
  } else log.info("TLS is on", facts);
  if (!tls.verify_client) {
    if (caFile !== undefined) {
      log.warn(
        "The setting tls.ca_file does nothing, as tls.verify_client is false: clients need no certificate",
        {
          service,
        },
      );
    }
    return { cert: certificate.cert, key: certificate.key };
  }
  const clientAuthorities = await certificates.readAuthorities(caFile ?? "");
  return { cert: certificate.cert, key: certificate.key, clientAuthorities };
}

/**
 * @returns the days that are left to it.
 * @throws {CertificateError} where it is not valid now.
 */
function judge(
  { validFrom, validTo }: ServerCertificate,
  file: string,
  now: number,
  isForDevelopment: boolean,
): number {
  const said = (time: number) => new Date(time).toISOString();
  if (now > validTo) {
    const advice = isForDevelopment ? "remove it and its key, and new ones are made" : "renew it";
    throw new CertificateError(
      `Cannot use the certificate "${file}": it expired at ${said(validTo)}; ${advice}`,
    );
  }
  if (now < validFrom) {
    throw new CertificateError(
      `Cannot use the certificate "${file}": it is valid from ${
        said(validFrom)
      } on only; wait, or set the clock right`,
    );
  }
  return Math.floor((validTo - now) / DAY_MS);
}

/** The ports of a server that runs. */
export interface OpenPorts {
  /** Null where it is switched off. */
  readonly websocket: Listener | null;
  readonly http: Listener;
  /** Both, or the one. */
  readonly listeners: readonly Listener[];
  /** What they are encrypted with now. */
  tls: PortTls | undefined;
}

interface OpeningParts extends PortParts {
  readonly tls: PortTls | undefined;
}

/**
 * Open the ports, that for WebSockets first, where it is enabled.
 *
 * @throws {ListenError} with none of them open.
 */
export async function openPorts(
  parts: OpeningParts,
  apps: { readonly websocket: FetchApp; readonly http: FetchApp },
): Promise<OpenPorts> {
  const { settings, log, service } = parts;
  const { enabled } = settings.websocket;
  const websocket = enabled ? await openPort("websocket", apps.websocket, parts) : null;
  try {
    const http = await openPort("http", apps.http, parts);
    if (websocket) log.info(`WebSocket server started on port ${websocket.port}`, { service });
    log.info(`HTTP and MCP server started on port ${http.port}`, { service });
    return { websocket, http, listeners: websocket ? [websocket, http] : [http], tls: parts.tls };
  } catch (error) {
    await websocket?.close(0);
    throw error;
  }
}

async function openPort(
  block: "websocket" | "http",
  app: FetchApp,
  { service, settings, runtime, limits: granted, tls }: OpeningParts,
): Promise<Listener> {
  const { [block]: { host, port }, limits } = settings;
  const options = {
    app,
    host,
    port,
    maxMessageBytes: limits.message_bytes,
    limits: granted.forPort(),
  };
  try {
    return await runtime.listen(tls ? { ...options, tls } : options);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    const flag = block === "http" ? "--http-port" : "--port";
    const setting = `setting ${block}.port of ${service}, or flag ${flag}`;
    throw new ListenError(`${error.message} (${setting})`, { cause: error });
  }
}
