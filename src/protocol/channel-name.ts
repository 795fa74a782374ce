/**
 * Names of channels: a kind of the contract, and for most kinds a colon and an id, which may hold further colons
 * (`adapter:domain:key:provider`).
 *
 * @module
 */
import type { ChannelKind, ContractShape } from "./contract.ts";
import { typeInWords } from "./json-value.ts";

/** Default of the setting for the length of a name, in UTF-16 units (for most scripts: characters). */
export const MAX_CHANNEL_NAME_LENGTH = 255;

export type ChannelResult =
  | {
    readonly ok: true;
    readonly kind: string;
    /** All that follows the first colon; null where the kind is one channel, and for a wildcard. */
    readonly id: string | null;
    /** True for `kind:*`, which stands for every channel of the kind. */
    readonly wildcard: boolean;
  }
  /** `reason` is a sentence for whoever gave the name: what is wrong and what names there are. */
  | { readonly ok: false; readonly reason: string };

/** The part of a name before the first colon; all of it where there is none. Asks nothing of the name. */
export function kindOf(channel: string): string {
  const colon = channel.indexOf(":");
  return colon < 0 ? channel : channel.slice(0, colon);
}

/**
 * Take a channel's name apart. Whether an object with that id exists is no matter of the name.
 *
 * @param kinds the contract's `channels`
 * @param maxLength in UTF-16 units
 */
export function parseChannel(
  kinds: Readonly<Record<string, ChannelKind>>,
  name: unknown,
  maxLength: number = MAX_CHANNEL_NAME_LENGTH,
): ChannelResult {
  if (typeof name !== "string") return refuse(kinds, `expected a string, got ${typeInWords(name)}`);
  const fault = faultOf(name, maxLength);
  if (fault !== null) return refuse(kinds, fault);
  const colon = name.indexOf(":");
  const kind = colon < 0 ? name : name.slice(0, colon);
  const spec = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!spec) return refuse(kinds, `unknown kind '${kind}'`);
  if (spec.id === undefined) {
    if (colon < 0) return { ok: true, kind, id: null, wildcard: false };
    return refuse(kinds, `'${kind}' is one channel and takes neither an id nor a wildcard`);
  }
  const id = colon < 0 ? "" : name.slice(colon + 1);
  if (id === "") return refuse(kinds, `kind '${kind}' needs an id: '${kind}:{${spec.id}}'`);
  if (id === "*") return { ok: true, kind, id: null, wildcard: true };
  if (id.endsWith(":*")) return refuse(kinds, `only '${kind}:*' is a wildcard, not the end of an id`);
  return { ok: true, kind, id, wildcard: false };
}

/**
 * The channels that an event goes to, each once, in the order that the contract names them. Where the contract gives a
 * function, that may return kinds and whole names of channels.
 *
 * @param maxLength in UTF-16 units
 * @throws {TypeError} where the event is not in the contract, goes nowhere, or an id in its data is missing or cannot
 * be part of a name: a fault of the service.
 */
export function channelsOf(
  contract: Pick<ContractShape, "channels" | "events">,
  event: string,
  data: Record<string, unknown>,
  maxLength: number = MAX_CHANNEL_NAME_LENGTH,
): string[] {
  const fail = (detail: string): never => {
    throw new TypeError(`Cannot route event '${event}': ${detail}`);
  };
  const spec = Object.hasOwn(contract.events, event) ? contract.events[event] : undefined;
  if (!spec) return fail("the contract has no event of this name");
  const names = new Set<string>();
  for (const target of typeof spec.channels === "function" ? spec.channels(data) : spec.channels) {
    const field = Object.hasOwn(contract.channels, target) ? contract.channels[target]?.id : undefined;
    const name = field === undefined ? target : `${target}:${idOf(data, field, fail)}`;
    const parsed = parseChannel(contract.channels, name, maxLength);
    const source = field === undefined ? "the contract" : `field '${field}'`;
    if (!parsed.ok) return fail(`${source} does not give a channel: ${parsed.reason}`);
    if (parsed.wildcard) return fail(`${source} gives a wildcard, expected one channel`);
    names.add(name);
  }
  if (names.size === 0) fail("the contract names no channel for this data");
  return [...names];
}

function idOf(data: Record<string, unknown>, field: string, fail: (detail: string) => never): string {
  const id = Object.hasOwn(data, field) ? data[field] : undefined;
  if (typeof id === "string" && id !== "") return id;
  if (typeof id === "bigint" || (typeof id === "number" && Number.isFinite(id))) return String(id);
  const came = id === "" ? "an empty one" : typeInWords(id);
  return fail(`expected field '${field}' to be a string that is not empty, got ${came}`);
}

/** What is wrong with a name whatever the kinds are; null for nothing. A name refused here is not fit to be quoted. */
function faultOf(name: string, maxLength: number): string | null {
  if (name === "") return "the name is empty";
  if (name.length > maxLength) return `${name.length} characters, expected at most ${maxLength}`;
  if (/\p{Cc}/u.test(name)) return "the name holds a control character";
  return name.isWellFormed() ? null : "the name holds a lone surrogate";
}

function refuse(kinds: Readonly<Record<string, ChannelKind>>, detail: string): ChannelResult {
  const forms = Object.entries(kinds).map(([kind, { id }]) => id === undefined ? kind : `${kind}:{${id}}`);
  return { ok: false, reason: `Invalid channel: ${detail}; expected one of ${forms.join(", ")}` };
}
