/**
 * A self-signed certificate for development. Loaded only where one is asked for.
 *
 * @module
 */
import { chmod, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { dirname, resolve } from "node:path";
import { generate } from "selfsigned";
import {
  CertificateError,
  type CertificateFiles,
  type DevelopmentOptions,
  type ServerCertificate,
} from "../ports/certificates.ts";
import { describedCertificate, readCertificate } from "./certificate-files.ts";
import { fileFault } from "./file-fault.ts";
import { files as fileSystem } from "./files.ts";

const DAY_MS = 86_400_000;
const VALID_DAYS = 30;
const NAME = "mcp-realtime development";

/** Those of this process, by the names in them. */
const made = new Map<string, Promise<ServerCertificate>>();

/** See `Certificates.forDevelopment`. */
export async function developmentCertificate(options: DevelopmentOptions): Promise<ServerCertificate> {
  const names = namesFor(options.hosts);
  if (!options.files) return await inMemory(names);
  const { certFile, keyFile } = options.files;
  const kinds = await Promise.all([certFile, keyFile].map((file) => fileSystem.kind(resolve(file))));
  if (kinds.every((kind) => kind === "missing")) await store(await inMemory(names), options.files);
  return await readCertificate(options.files);
}

/** Names and addresses for the certificate, each once. */
export function namesFor(hosts: readonly string[]): string[] {
  const everywhere = hosts.some((host) => host === "0.0.0.0" || host === "::");
  const names = [
    "localhost",
    "127.0.0.1",
    "::1",
    ...ownName(),
    ...hosts,
    ...everywhere ? ownAddresses() : [],
  ];
  return [...new Set(names.map((name) => name.toLowerCase().replace(/\.$/, "")))].filter(isEntry).sort();
}

function isEntry(name: string): boolean {
  if (name === "0.0.0.0" || name === "::") return false;
  return isIP(name) !== 0 ? !name.includes("%") : /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name);
}

function ownName(): string[] {
  try {
    return [hostname()];
  } catch {
    // Deno may not be allowed to ask.
    return [];
  }
}

function ownAddresses(): string[] {
  try {
    return Object.values(networkInterfaces()).flatMap((addresses) =>
      (addresses ?? []).map(({ address }) => address)
    );
  } catch {
    return [];
  }
}

async function inMemory(names: readonly string[]): Promise<ServerCertificate> {
  const key = names.join();
  const known = await made.get(key);
  if (known && known.validTo - Date.now() > (VALID_DAYS * DAY_MS) / 2) return known;
  const fresh = make(names);
  made.set(key, fresh);
  fresh.catch(() => made.delete(key));
  return await fresh;
}

async function make(names: readonly string[]): Promise<ServerCertificate> {
  const notBeforeDate = new Date();
  const { cert, private: key } = await generate([{ name: "commonName", value: NAME }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate: new Date(notBeforeDate.getTime() + VALID_DAYS * DAY_MS),
    extensions: [
      // Its own issuer, but no authority: whoever trusts it trusts nothing else by it.
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      {
        name: "subjectAltName",
        altNames: names.map((name) => isIP(name) === 0 ? { type: 2, value: name } : { type: 7, ip: name }),
      },
    ],
  });
  return describedCertificate(cert, key);
}

async function store(
  { cert, key }: ServerCertificate,
  { certFile, keyFile }: CertificateFiles,
): Promise<void> {
  const write = async (file: string, text: string, mode: number) => {
    const path = resolve(file);
    try {
      await fileSystem.makeFolder(dirname(path));
      await writeFile(path, text, { mode, flag: "wx" });
      // Not every runtime has set it while it made the file.
      await chmod(path, mode);
    } catch (cause) {
      throw new CertificateError(`Cannot write "${file}": ${fileFault(cause)}`, { cause });
    }
  };
  await write(keyFile, `${key.trim()}\n`, 0o600);
  await write(certFile, `${cert.trim()}\n`, 0o644);
}
