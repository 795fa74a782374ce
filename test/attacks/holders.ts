/**
 * People with tokens that are good, of which none allows everything.
 *
 * @module
 */
import type { Access } from "../../src/protocol/contract.ts";
import { Attacker } from "./attacker.ts";
import type { Service, Target } from "./target.ts";

export interface Holder {
  readonly name: string;
  readonly attacker: Attacker;
  /** What the token allows. */
  readonly accesses: readonly Access[];
}

/** Words that are no permission of any service, however one reads them. */
const nonsense = (service: string) => [
  "*",
  "*:*",
  "*:admin",
  `${service}`,
  `${service}:`,
  `${service}:*`,
  `${service}:read:all`,
  `${service}:read,write`,
  `${service}: read`,
  `${service} :read`,
  `${service}:reader`,
  `${service}::read`,
  ":read",
  `${service}x:admin`,
  `x${service}:admin`,
  `${service}\u0000:admin`,
  "administrator",
  "root",
  "__proto__",
  "constructor",
  `${service}:__proto__`,
  `${service}:constructor`,
  `${service}:toString`,
  "anonymous",
];

/** Of one service, each with an address of their own. */
export async function holdersOf(target: Target, service: Service): Promise<Holder[]> {
  const index = target.services.indexOf(service);
  const other = target.services[(index + 1) % target.services.length]!.name;
  const given: readonly (readonly [string, readonly string[], readonly Access[]])[] = [
    ["reader", [`${service.name}:read`], ["read"]],
    ["writer", [`${service.name}:write`], ["write"]],
    ["runner", [`${service.name}:run`], ["run"]],
    ["stranger", [`${other}:admin`, `${other}:read`], []],
    ["nonsense", nonsense(service.name), []],
    ["nobody", [], []],
  ];
  return await Promise.all(given.map(async ([name, permissions, accesses], place) => {
    const token = await target.token(`${name}-${service.name}`, permissions);
    return { name, accesses, attacker: new Attacker(`127.0.2${index}.${place + 1}`, token) };
  }));
}
