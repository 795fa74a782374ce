/**
 * What opening a port has in common on the three runtimes: the default limit, what TLS is made of, and why it fails, in
 * one sentence.
 *
 * @module
 */
import { ListenError } from "../ports/runtime.ts";

/** The largest inbound message where nobody says otherwise: 1 MiB. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/**
 * Suites of TLS 1.2: forward secrecy and authenticated encryption, nothing else. Deno has these and no others, and takes
 * no list. Those of TLS 1.3 are all fine.
 */
export const TLS_1_2_SUITES: readonly string[] = [
  "AES128-GCM-SHA256",
  "AES256-GCM-SHA384",
  "CHACHA20-POLY1305",
]
  .flatMap((cipher) => [`ECDHE-ECDSA-${cipher}`, `ECDHE-RSA-${cipher}`]);

/** Bun says it in words only, Deno in the error's name, Node in a code. */
const CAUSES: readonly { matches: RegExp; sentence: string }[] = [
  {
    matches: /ERR_(OSSL|SSL)_/,
    sentence:
      "its certificate or key is refused; use a certificate with the key that belongs to it, RSA of 2,048 bits or EC",
  },
  {
    matches: /EADDRINUSE|AddrInUse|address already in use|port \d+ in use/i,
    sentence: "another program uses this port; stop it or choose another port",
  },
  {
    matches: /EACCES|PermissionDenied|NotCapable|permission denied|Requires net access/i,
    sentence: "this process may not open it; choose a port above 1023 or give it the permission",
  },
  {
    matches: /EADDRNOTAVAIL|EINVAL|AddrNotAvailable|not available|Can't assign/i,
    sentence:
      "this machine has no such address or name; listen on 127.0.0.1, or on 0.0.0.0 for all addresses",
  },
  {
    matches: /ENOTFOUND|EAI_|lookup|resolve|invalid host/i,
    sentence: "this host is not known; listen on 127.0.0.1, or on 0.0.0.0 for all addresses",
  },
  {
    matches: /ERR_SOCKET_BAD_PORT|out of range|between 0 and 65535|Invalid port|RangeError/i,
    sentence: "a port is a whole number from 0 to 65535",
  },
];

/** The error to reject `listen` with. */
export function listenError(host: string, port: number, cause: unknown): ListenError {
  const { name = "", code = "", message = String(cause) } = (cause ?? {}) as Record<string, string>;
  const text = `${name} ${code} ${message}`;
  const known = CAUSES.find(({ matches }) => matches.test(text));
  return new ListenError(`Cannot listen on ${hostAndPort(host, port)}: ${known?.sentence ?? message}`, {
    cause,
  });
}

/** `host:port`, with an IPv6 address in brackets. */
export function hostAndPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Refuse a port that no runtime could open, before each of them reads it in its own way (Bun takes 70000 as 4464). */
export function checkPort(host: string, port: number): void {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw listenError(host, port, new RangeError(`Port out of range: ${port}`));
  }
}
