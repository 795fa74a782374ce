/**
 * Certificates on every runtime. See `Certificates`.
 *
 * @module
 */
import type { Certificates } from "../ports/certificates.ts";
import { readAuthorities, readCertificate } from "./certificate-files.ts";

export const certificates: Certificates = {
  read: readCertificate,
  readAuthorities,
  async forDevelopment(options) {
    // Loaded here, so that whoever has a certificate does not carry what makes one.
    const { developmentCertificate } = await import("./development-certificate.ts");
    return await developmentCertificate(options);
  },
};
