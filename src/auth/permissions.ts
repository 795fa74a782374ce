/**
 * What a caller may do. Once authentication is on, everything is denied that no permission allows, to anonymous callers
 * all of it.
 *
 * | permission | allows |
 * |---|---|
 * | `{service}:read` | to subscribe and to query |
 * | `{service}:write` | to change state; neither to subscribe nor to query |
 * | `{service}:run` | to start processes, and nothing else |
 * | `{service}:admin`, `admin` | all |
 *
 * No permission but admin contains another: a client that reads and writes holds both. A token that this service
 * accepts is one of its own, so plain `read`, `write` and `run` on it stand for the service's.
 *
 * @module
 */
import type { Access } from "../protocol/contract.ts";
import type { Identity } from "../ports/call.ts";

const BIT: Readonly<Record<Access, number>> = { read: 1, write: 2, run: 4, admin: 15 };

/** Other names that existing tokens use, by service. */
const ALIASES: ReadonlyMap<string, ReadonlyMap<string, Access>> = new Map([
  [
    "mahavishnu",
    new Map<string, Access>([
      ["workflow:read", "read"],
      ["pool:read", "read"],
      ["worker:read", "read"],
      ["team:read", "read"],
    ]),
  ],
]);

interface Grant {
  readonly service: string;
  readonly bits: number;
}

/** What an identity holds at the service that asked last: identities live as long as connections, and ask one service. */
const grants = new WeakMap<Identity, Grant>();

/**
 * Whether a caller may do something that needs `access`.
 *
 * @param required Whether authentication is on. Off: everything is allowed to everybody.
 */
export function mayAccess(identity: Identity, service: string, access: Access, required: boolean): boolean {
  if (!required) return true;
  const bit = BIT[access];
  return (held(identity, service) & bit) === bit;
}

/**
 * Whether a caller may be in a channel. `global` needs any permission of the service, every other kind `read`.
 *
 * @param channelKind The part of the channel's name before the first colon.
 * @param required Whether authentication is on. Off: every channel is open to everybody.
 */
export function mayJoin(
  identity: Identity,
  service: string,
  channelKind: string,
  required: boolean,
): boolean {
  if (!required) return true;
  const bits = held(identity, service);
  return channelKind === "global" ? bits !== 0 : (bits & BIT.read) !== 0;
}

/** Whether a permission of this name allows anything at a service. */
export function isPermission(name: string, service: string): boolean {
  return bitsOf(name.trim().toLowerCase(), service) !== 0;
}

/**
 * A permission as it is to be written into a token of a service: plain `read`, `write`, `run` and `admin` would count at
 * every service that shares its secret. Other names stay as they are.
 */
export function qualified(name: string, service: string): string {
  const bare = name.trim().toLowerCase();
  return Object.hasOwn(BIT, bare) ? `${service}:${bare}` : name;
}

/** The bits that an identity's permissions come to. */
function held(identity: Identity, service: string): number {
  const known = grants.get(identity);
  if (known?.service === service) return known.bits;
  let bits = 0;
  if (identity.authenticated) {
    for (const permission of identity.permissions) bits |= bitsOf(permission, service);
  }
  grants.set(identity, { service, bits });
  return bits;
}

function bitsOf(permission: string, service: string): number {
  const alias = ALIASES.get(service)?.get(permission);
  if (alias !== undefined) return BIT[alias];
  const prefix = `${service}:`;
  const access = permission.startsWith(prefix) ? permission.slice(prefix.length) : permission;
  return Object.hasOwn(BIT, access) ? BIT[access as Access] : 0;
}
