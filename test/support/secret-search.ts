/**
 * Looking for secrets in what a program has let out, in the forms that they may have taken on the way.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import process from "node:process";

/** Names of the places that hold a secret, each with the form in which it stands there. */
export function findSecrets(
  secrets: Readonly<Record<string, string>>,
  places: Readonly<Record<string, string>>,
): string[] {
  const found: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    for (const [form, text] of Object.entries(formsOf(secret))) {
      for (const [place, content] of Object.entries(places)) {
        if (content.includes(text)) found.push(`${name} (${form}) in ${place}`);
      }
    }
  }
  return found;
}

function formsOf(secret: string): Record<string, string> {
  const bytes = Buffer.from(secret);
  const forms: Record<string, string> = {
    "as it is": secret,
    hex: bytes.toString("hex"),
    // Without the last characters, which depend on what follows.
    Base64: bytes.toString("base64").slice(0, -4),
    Base64URL: bytes.toString("base64url").slice(0, -4),
    "in a URL": encodeURIComponent(secret),
    "in part": secret.slice(0, 24),
  };
  // The signature is what makes a token one; its other parts are no secret.
  const signature = /^[\w-]+\.[\w-]+\.([\w-]+)$/.exec(secret)?.[1];
  return signature === undefined ? forms : { ...forms, "in part": signature, signature };
}

/** What the system shows of a process to every user of the machine. Empty where the system has no such place. */
export function shownBySystem(pid: number): Record<string, string> {
  if (process.platform !== "linux") return {};
  return Object.fromEntries(
    ["cmdline", "comm", "status", "stat"].map((name) => [name, readFileSync(`/proc/${pid}/${name}`, "utf8")]),
  );
}
