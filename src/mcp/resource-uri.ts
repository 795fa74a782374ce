/**
 * URIs of channels. A channel `test:RUN` of crackerjack is `crackerjack://test/RUN`, with the id percent-encoded, since
 * `crackerjack://test:RUN` would be a host and a port. Both spellings are read.
 *
 * @module
 */
import { parseChannel } from "../protocol/channel-name.ts";
import type { ContractShape } from "../protocol/contract.ts";
import { ResourceError } from "./resource.ts";
import type { WatchedPlace } from "./watches.ts";

/** What the longest name needs, all of it percent-encoded, and some more. */
const MAX_URI_LENGTH = 4_096;

type Named = Pick<ContractShape, "channels"> & { readonly name: string };

/** @param channel A valid name. */
export function uriOf({ name }: Pick<Named, "name">, channel: string): string {
  const colon = channel.indexOf(":");
  if (colon < 0) return `${name}://${channel}`;
  return `${name}://${channel.slice(0, colon)}/${encodeURIComponent(channel.slice(colon + 1))}`;
}

/** RFC 6570, level 1. */
export function templateOf({ name }: Pick<Named, "name">, kind: string, id: string): string {
  return `${name}://${kind}/{${id}}`;
}

/**
 * The channel or wildcard that a URI names.
 *
 * @throws ResourceError
 */
export function placeOf(contract: Named, uri: string): WatchedPlace {
  if (uri.length > MAX_URI_LENGTH) {
    throw new ResourceError(
      "invalid",
      `Invalid resource URI: ${uri.length} characters, expected at most ${MAX_URI_LENGTH}`,
    );
  }
  const [, scheme, kind = "", separator, encoded = ""] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/:%?#]*)(?:(\/|:|%3a)(.*))?$/is.exec(uri) ?? [];
  const spec = Object.hasOwn(contract.channels, kind) ? contract.channels[kind] : undefined;
  if (scheme?.toLowerCase() !== contract.name || !spec) throw unknown(contract);
  const id = decoded(encoded);
  // A slash at the end of a channel without an id means nothing.
  const none = separator === undefined || (id === "" && spec.id === undefined);
  const name = none ? kind : `${kind}:${id}`;
  const parsed = parseChannel(contract.channels, name);
  if (!parsed.ok) throw new ResourceError("invalid", parsed.reason);
  return { name, kind, wildcard: parsed.wildcard };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new ResourceError("invalid", "Invalid resource URI: its percent-encoding is broken");
  }
}

function unknown(contract: Named): ResourceError {
  const forms = Object.entries(contract.channels).map(([kind, { id }]) =>
    id === undefined ? uriOf(contract, kind) : templateOf(contract, kind, id)
  );
  return new ResourceError("not_found", `Unknown resource: expected one of ${forms.join(", ")}`);
}
