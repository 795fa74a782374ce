/**
 * How the records of tests begin.
 *
 * @module
 */
import type { RecordHeader } from "../../src/recording/record.ts";

export const HEADER: RecordHeader = {
  format: "mcp-realtime-record",
  version: 1,
  service: "akosha",
  url: "ws://127.0.0.1:8692/",
  channels: ["a:*"],
  started_at: "2026-01-01T00:00:00.000Z",
  epoch: "e",
};
