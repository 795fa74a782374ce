/**
 * Addresses of ports, as somebody on this machine reaches them.
 *
 * @module
 */
import { authority } from "../server/status.ts";

/**
 * Scheme, host and port. An address that stands for all of the machine's is reached at its own.
 *
 * @param scheme Without TLS; the one with it has an `s` more.
 */
export function originOf(
  scheme: "http" | "ws",
  { host, port }: Port,
  tls: { readonly enabled: boolean },
): string {
  const near = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `${scheme}${tls.enabled ? "s" : ""}://${authority(near, port)}`;
}

/** A block of the settings that says where a port is. */
interface Port {
  readonly host: string;
  readonly port: number;
}
