/**
 * Certificates for tests: an authority and what it issues, made at once and kept nowhere but in memory.
 *
 * @module
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";

export const DAY_MS = 86_400_000;

/** A certificate and its key, in PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

export interface IssueOptions {
  readonly name?: string;
  /** DNS names and IP addresses that it holds for. @default those of loopback */
  readonly hosts?: readonly string[];
  /** Days from now. @default yesterday and in 90 days */
  readonly fromDays?: number;
  readonly toDays?: number;
  readonly keyType?: "ec" | "rsa";
}

const LOOPBACK = ["localhost", "127.0.0.1", "::1"];

export interface Authority extends Pair {
  issue(options?: IssueOptions): Promise<Pair>;
}

function validity({ fromDays = -1, toDays = 90 }: IssueOptions): { notBeforeDate: Date; notAfterDate: Date } {
  const at = (days: number) => new Date(Date.now() + days * DAY_MS);
  return { notBeforeDate: at(fromDays), notAfterDate: at(toDays) };
}

/** An authority of its own that signs with `keyType`. */
export async function makeAuthority(keyType: "ec" | "rsa" = "ec"): Promise<Authority> {
  const made = await generate([{ name: "commonName", value: "Test authority" }], {
    keyType,
    algorithm: "sha256",
    ...validity({}),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const ca = { key: made.private, cert: made.cert };
  return {
    ...ca,
    async issue(options = {}) {
      const { name = "Test server", hosts = LOOPBACK } = options;
      const altNames = hosts.map((host) =>
        /^[\d.]+$|:/.test(host) ? { type: 7 as const, ip: host } : { type: 2 as const, value: host }
      );
      const { cert, private: key } = await generate([{ name: "commonName", value: name }], {
        keyType: options.keyType ?? keyType,
        algorithm: "sha256",
        ...validity(options),
        ca,
        extensions: [
          { name: "basicConstraints", cA: false, critical: true },
          { name: "keyUsage", digitalSignature: true, keyEncipherment: true, critical: true },
          { name: "extKeyUsage", serverAuth: true, clientAuth: true },
          { name: "subjectAltName", altNames },
        ],
      });
      return { cert, key };
    },
  };
}

/** Files in a folder of their own, by name. */
export interface Files {
  readonly folder: string;
  path(name: string): string;
  write(name: string, text: string): Promise<string>;
  /** A pair as `{name}.pem` and `{name}.key`, named as the settings name them. */
  store(name: string, pair: Pair): Promise<{ cert_file: string; key_file: string }>;
  remove(): Promise<void>;
}

export async function makeFiles(): Promise<Files> {
  const folder = await mkdtemp(join(tmpdir(), "realtime-tls-"));
  const path = (name: string) => join(folder, name);
  const write = async (name: string, text: string) => {
    await writeFile(path(name), text);
    return path(name);
  };
  return {
    folder,
    path,
    write,
    async store(name, { cert, key }) {
      return { cert_file: await write(`${name}.pem`, cert), key_file: await write(`${name}.key`, key) };
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
