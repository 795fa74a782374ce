/**
 * The tables of docs/protocol.md are those of the code.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CLOSE_CODES } from "../../src/protocol/close-codes.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { makeOwnService } from "../server/own-service.ts";

/** Rows of the page, without the padding of their cells. */
const rows = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));

test("docs/protocol.md lists every route of the HTTP port, and no other, as does the answer to a wrong address", async () => {
  const server = new RealtimeServer(makeOwnService(), { settings: { storage: { path: "none" } } });
  const served = server.app.routes
    // What stands before every route is in it as well.
    .filter(({ method, path }) => method !== "ALL" || !path.endsWith("*"))
    .map(({ method, path }) =>
      `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, "{$1}")}`.replace("ALL ", "")
    );
  const listed = rows.flatMap(([route]) => /^`((?:[A-Z]+ )?\/\S*)`$/.exec(route ?? "")?.[1] ?? []);
  expect(listed.sort()).toEqual([...new Set(served)].sort());
  const answer = await server.app.request("http://127.0.0.1/nowhere");
  const { error_message: told } = await answer.json();
  for (const route of listed) {
    expect(told).toContain(route.replace(/^GET (?!\/api)/, ""));
  }
});

const yes = (value: boolean) => value ? "yes" : "no";

test("docs/protocol.md lists every error of the table, and no other", () => {
  const listed = rows.filter(([code]) => /^`[A-Z_]+`$/.test(code ?? ""));
  const expected = Object.entries(ERRORS).map(([code, row]) => {
    return ["`" + code + "`", String(row.httpStatus), yes(row.retryable), row.meaning];
  });
  expect(listed).toEqual(expected);
});

test("docs/protocol.md lists every close code of the table, and no other", () => {
  const listed = rows.filter(([code]) => /^\d{4}$/.test(code ?? ""));
  const expected = Object.values(CLOSE_CODES).map((
    row,
  ) => [String(row.code), yes(row.reconnect), row.meaning]);
  expect(listed).toEqual(expected);
});
