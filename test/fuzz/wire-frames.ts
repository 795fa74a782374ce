/**
 * WebSocket frames as bytes, right or wrong in every field of their header.
 *
 * @module
 */

export interface FrameShape {
  readonly opcode: number;
  readonly payload: Uint8Array;
  /** @default true */
  readonly final?: boolean;
  /** The three reserved bits. @default 0 */
  readonly reserved?: number;
  /** Null for a frame without one, which a client must not send. @default four zeros */
  readonly mask?: Uint8Array | null;
  /** How the length is written. Default: the shortest form. */
  readonly lengthBytes?: 0 | 2 | 8;
  /** The length that the header tells. Default: the payload's. */
  readonly told?: bigint;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

export function wireFrame(shape: FrameShape): Buffer {
  const { opcode, payload, final = true, reserved = 0, mask = new Uint8Array(4) } = shape;
  const length = shape.told ?? BigInt(payload.length);
  const form = shape.lengthBytes ?? (length < 126n ? 0 : length < 65_536n ? 2 : 8);
  const header = Buffer.alloc(2 + form);
  header[0] = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  const masked = mask ? 0x80 : 0;
  if (form === 0) header[1] = masked | Number(length & 0x7fn);
  else if (form === 2) {
    header[1] = masked | 126;
    header.writeUInt16BE(Number(length & 0xffffn), 2);
  } else {
    header[1] = masked | 127;
    header.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  }
  if (!mask) return Buffer.concat([header, payload]);
  const body = mask.some((byte) => byte !== 0) ? payload.map((byte, at) => byte ^ mask[at % 4]!) : payload;
  return Buffer.concat([header, mask, body]);
}

/** A message in frames of these lengths and one for the rest. */
export function fragments(opcode: number, payload: Uint8Array, lengths: readonly number[]): Buffer[] {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    parts.push(payload.subarray(at, at + length));
    at += length;
  }
  parts.push(payload.subarray(at));
  return parts.map((part, index) =>
    wireFrame({ opcode: index === 0 ? opcode : 0, payload: part, final: index === parts.length - 1 })
  );
}
