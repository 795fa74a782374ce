/**
 * Certificates for ports that speak TLS. Keys stay in memory; nothing here prints one.
 *
 * @module
 */

/** A certificate with its key, both in PEM. */
export interface ServerCertificate {
  /** With the intermediate ones after it. */
  readonly cert: string;
  readonly key: string;
  /** SHA-256 of the certificate, as hexadecimal pairs with colons: what a person compares. */
  readonly fingerprint: string;
  /** Milliseconds since the Unix epoch. */
  readonly validFrom: number;
  readonly validTo: number;
}

export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface DevelopmentOptions {
  /** Names and addresses that clients connect to, besides those of loopback and this machine's name. */
  readonly hosts: readonly string[];
  /** Where it is kept. Absent: in memory only. Files that are there are used as they are. */
  readonly files?: CertificateFiles;
}

/** A certificate or key that cannot be used. The message names the file and says what to do; it never holds a key. */
export class CertificateError extends Error {
  override readonly name = "CertificateError";
}

export interface Certificates {
  /**
   * Read a certificate and the key that belongs to it. Whether it is valid by date is the caller's to judge.
   * Rejects with `CertificateError`.
   */
  read(files: CertificateFiles): Promise<ServerCertificate>;
  /** Read the certificates of those who issue clients' certificates, in PEM. Rejects with `CertificateError`. */
  readAuthorities(file: string): Promise<string>;
  /**
   * A self-signed certificate for development, valid for 30 days, with entries for loopback, this machine's name and
   * `hosts`. Those who ask for the same hosts in one process get the same one. Rejects with `CertificateError`.
   */
  forDevelopment(options: DevelopmentOptions): Promise<ServerCertificate>;
}
