/**
 * Certificates and keys from files, checked by `node:crypto`, on every runtime.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { CertificateError, type CertificateFiles, type ServerCertificate } from "../ports/certificates.ts";
import { files } from "./files.ts";

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** See `Certificates.readAuthorities`. */
export async function readAuthorities(file: string): Promise<string> {
  const found = (await readPem("the certificates", file)).match(PEM_CERTIFICATE) ?? [];
  if (found.length === 0) throw notPem("the certificates", file, "CERTIFICATE");
  for (const pem of found) certificateIn(pem, "the certificates", file);
  return found.join("\n");
}

/** See `Certificates.read`. */
export async function readCertificate({ certFile, keyFile }: CertificateFiles): Promise<ServerCertificate> {
  const cert = await readPem("the certificate", certFile);
  const key = await readPem("the key", keyFile);
  const certificate = certificateIn(cert, "the certificate", certFile);
  if (!certificate.checkPrivateKey(privateKeyIn(key, keyFile))) {
    throw new CertificateError(
      `Cannot use the key "${keyFile}": it is not that of the certificate "${certFile}"; name the key that belongs to it`,
    );
  }
  return describedCertificate(cert, key, certificate);
}

export function describedCertificate(
  cert: string,
  key: string,
  { fingerprint256, validFrom, validTo }: X509Certificate = new X509Certificate(cert),
): ServerCertificate {
  return {
    cert,
    key,
    fingerprint: fingerprint256,
    validFrom: Date.parse(validFrom),
    validTo: Date.parse(validTo),
  };
}

async function readPem(what: string, file: string): Promise<string> {
  const text = await files.readText(resolve(file)).catch((error: Error) => {
    throw new CertificateError(error.message, { cause: error });
  });
  if (text !== undefined) return text;
  throw new CertificateError(`Cannot read ${what} "${file}": there is no such file`);
}

/** The first certificate of a text: that of the server itself, where others follow. */
function certificateIn(text: string, what: string, file: string): X509Certificate {
  const [first] = text.match(PEM_CERTIFICATE) ?? [];
  if (first === undefined) throw notPem(what, file, "CERTIFICATE");
  try {
    return new X509Certificate(first);
  } catch (cause) {
    throw new CertificateError(`Cannot use ${what} "${file}": it is damaged; put it there anew`, { cause });
  }
}

function privateKeyIn(text: string, file: string): KeyObject {
  if (/BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/.test(text)) {
    throw new CertificateError(
      `Cannot use the key "${file}": it is encrypted; store it without a passphrase, readable by this user only`,
    );
  }
  try {
    return createPrivateKey(text);
  } catch {
    // Without its cause, which may hold parts of the file.
    throw notPem("the key", file, "PRIVATE KEY");
  }
}

function notPem(what: string, file: string, label: string): CertificateError {
  return new CertificateError(
    `Cannot use ${what} "${file}": expected PEM text with -----BEGIN ${label}-----, got something else`,
  );
}
