/**
 * Records of channels: reading and writing them as streams. The format is described in docs/record-format.md.
 *
 * @module
 */
export { openRecord, type RecordEnding, type Recording } from "./read-record.ts";
export {
  RECORD_FORMAT,
  RECORD_VERSION,
  type RecordedConnection,
  type RecordedEnd,
  type RecordedEvent,
  type RecordedGap,
  type RecordedSnapshot,
  type RecordEntry,
  RecordError,
  type RecordHeader,
  type RecordItem,
} from "./record.ts";
export { type RecordBeginning, RecordWriter, type RecordWriterOptions } from "./write-record.ts";
