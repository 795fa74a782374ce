/**
 * Blobs over HTTP, each at its SHA-256.
 *
 * @module
 */
import type { HttpRoute } from "../../src/service/http-route.ts";
import type { DhruvaManager } from "./manager.ts";

const path = "/api/blobs/:sha256";

export const dhruvaRoutes: readonly HttpRoute<DhruvaManager>[] = [
  {
    method: "PUT",
    path,
    access: "write",
    async handle({ transfers }, { parameters, header, body, caller }) {
      const announced = header("content-length");
      const length = announced === undefined ? null : Number(announced);
      const stored = await transfers.upload({ sha256: parameters["sha256"] ?? "", body, length, caller });
      return { status: stored.stored ? 201 : 200, body: { ...stored } };
    },
  },
  {
    method: "GET",
    path,
    access: "read",
    async handle({ transfers }, { method, parameters, caller, signal }) {
      const address = parameters["sha256"] ?? "";
      const { sha256, size, body } = method === "HEAD"
        ? { ...await transfers.look(address), body: null }
        : await transfers.download(address, { caller, signal });
      return {
        headers: {
          "Content-Type": "application/octet-stream",
          "Content-Length": String(size),
          // Whatever it holds, it is never a page of this server.
          "Content-Disposition": "attachment",
          "X-Content-Type-Options": "nosniff",
          "ETag": `"${sha256}"`,
        },
        body,
      };
    },
  },
];
