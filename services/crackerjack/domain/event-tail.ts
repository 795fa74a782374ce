/**
 * Reads the file that a reporter writes to, while it is written.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { LineCutter } from "./event-lines.ts";

/** How long a line may lie unread. */
const LOOK_MS = 50;
const CHUNK_BYTES = 262_144;
/** The file belongs to the tests, which may make it as large as they like. */
const MAX_BYTES = 134_217_728;

export interface EventTail {
  /** Read to the end and stop looking. To be called when nobody writes any more. Returns what is wrong, or null. */
  finish(): Promise<string | null>;
}

/**
 * @param line Hears each line.
 * @param read Called after lines have been heard, once for all that were there.
 */
export function followEvents(
  parts: { readonly workspace: Workspace; readonly clock: Clock },
  path: string,
  line: (text: string) => void,
  read: () => void,
): EventTail {
  const cutter = new LineCutter(line);
  let offset = 0;
  let under: Promise<void> | null = null;
  const drain = async (): Promise<void> => {
    while (offset < MAX_BYTES) {
      const bytes = await parts.workspace.readFrom(path, offset, CHUNK_BYTES);
      if (bytes.byteLength === 0) return;
      offset += bytes.byteLength;
      cutter.push(bytes);
      read();
    }
  };
  const look = (): Promise<void> =>
    // A file that cannot be read is looked at again; what it should have said is missed at the end.
    under ??= drain().catch(() => {}).finally(() => under = null);
  const stop = parts.clock.every(LOOK_MS, () => void look());
  return {
    async finish() {
      stop();
      await under;
      await look();
      cutter.flush();
      read();
      return offset < MAX_BYTES
        ? null
        : `Cannot read the results: expected less than ${MAX_BYTES} bytes, got more`;
    },
  };
}
