/**
 * Ways to write the name of a channel, so that whoever may not be in it might come in all the same.
 *
 * @module
 */
import type { Contract } from "../../src/protocol/contract.ts";

/** Every channel kind of a contract, in every spelling. */
export function spellings({ channels }: Pick<Contract, "channels">): unknown[] {
  const kinds = Object.entries(channels as Record<string, { id?: string }>);
  return [
    ...kinds.flatMap(([kind, { id }]) => spelled(kind, id === undefined ? kind : `${kind}:x`)),
    ...ANYWHERE,
  ];
}

function spelled(kind: string, name: string): unknown[] {
  const last = kind.at(-1)!;
  return [
    name,
    `${kind}:*`,
    kind,
    kind.toUpperCase(),
    name.toUpperCase(),
    ` ${name}`,
    `${name} `,
    `\t${name}`,
    `${name}\n`,
    `${kind} :x`,
    `${kind}: *`,
    `${kind}:* `,
    `${kind}:`,
    `${kind}::`,
    `${kind}::*`,
    `${kind}:*:`,
    `${kind}:*:*`,
    `${kind}:x:*`,
    `${kind}:**`,
    `${kind}:?`,
    `${kind}:..`,
    `${kind}:../${kind}:*`,
    `${kind}/x`,
    `./${name}`,
    `global:../${name}`,
    `global/${name}`,
    `global,${name}`,
    `global\u0000${name}`,
    `${name}\u0000`,
    `\u0000${name}`,
    `${kind}\u0000:*`,
    `${kind}%3Ax`,
    `${kind}%3A%2A`,
    `%${kind.charCodeAt(0).toString(16)}${name.slice(1)}`,
    `\u200b${name}`,
    `${kind}\u200b:x`,
    `${kind}：x`,
    `${kind}:＊`,
    // Other letters that look the same, or become the same when they are normalised.
    name.replace("o", "ο"),
    name.replace("e", "е"),
    name.replace(last, `${last}\u0301`),
    [...kind].map((letter) => String.fromCodePoint(letter.codePointAt(0)! + 0xfee0)).join("") + ":x",
    name.replace("s", "ſ"),
    name.replace("i", "ı"),
    `\u202e${[...name].reverse().join("")}`,
    [name],
    [kind, "x"],
    { toString: name },
    { channel: name },
  ];
}

const ANYWHERE: readonly unknown[] = [
  "*",
  "*:*",
  "**",
  "#",
  ".",
  "..",
  "/",
  "",
  ":",
  ":*",
  "*:x",
  "__proto__",
  "__proto__:x",
  "constructor",
  "constructor:*",
  "toString",
  "hasOwnProperty:x",
  "\u0000",
  "\ud800",
  "admin:controls",
  "x".repeat(300),
  0,
  true,
  {},
];
