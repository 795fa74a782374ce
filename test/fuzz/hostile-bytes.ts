/**
 * What comes over a socket that is no message as a client should send it: frames that break the WebSocket protocol,
 * messages in odd pieces, control frames, messages that are too large.
 *
 * @module
 */
import type { Message } from "./hostile-messages.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { BINARY, CLOSE, fragments, PING, PONG, TEXT, wireFrame } from "./wire-frames.ts";

/** Written to a socket of its own. */
export interface HostileBytes {
  readonly form: string;
  readonly bytes: Buffer;
  /** Messages that a server which takes the bytes gets whole; each is to be answered, unless the connection ends. */
  readonly messages: readonly Message[];
  /** Payloads of pings that are to come back. */
  readonly pings: readonly Uint8Array[];
  /** `must`: nothing but the connection's end is right. `may`: so is an answer. */
  readonly ends: "must" | "may" | "never";
  /** What the client does after it: nothing, end its side, or reset the connection. */
  readonly then: "wait" | "finish" | "reset";
}

const MIB = 1_048_576;
const utf8 = (text: string) => new TextEncoder().encode(text);

export function hostileBytes(random: SeededRandom, message: string): HostileBytes {
  const payload = utf8(message);
  const whole = wireFrame({ opcode: TEXT, payload });
  const make = (form: string, bytes: Buffer | Buffer[], more: Partial<HostileBytes> = {}): HostileBytes => ({
    form,
    bytes: Array.isArray(bytes) ? Buffer.concat(bytes) : bytes,
    messages: [],
    pings: [],
    ends: "must",
    then: "wait",
    ...more,
  });
  const fault = (form: string, shape: Partial<Parameters<typeof wireFrame>[0]>) =>
    make(form, wireFrame({ opcode: TEXT, payload, ...shape }));
  const control = (form: string, opcode: number, content: Uint8Array) =>
    make(form, wireFrame({ opcode, payload: content }));
  const pinged = (form: string, count: number, ends: HostileBytes["ends"]) => {
    const payloads = Array.from({ length: count }, () => random.bytes(random.below(126)));
    const bytes = payloads.map((sent) => wireFrame({ opcode: PING, payload: sent }));
    // Of several that wait, the newest alone has to be answered.
    return make(form, bytes, { pings: payloads.slice(-1), ends });
  };
  const closing = (code: number, reason: Uint8Array = new Uint8Array()) =>
    Buffer.concat([Buffer.from([code >> 8, code & 255]), reason]);

  return random.pick<() => HostileBytes>([
    // Right, and odd.
    () => {
      const cuts = Array.from({ length: 1 + random.below(8) }, () => random.below(payload.length));
      return make("a message in pieces", fragments(random.pick([TEXT, BINARY]), payload, cuts), {
        messages: [message],
        ends: "never",
      });
    },
    () =>
      make("a message byte by byte", fragments(TEXT, payload.subarray(0, 2_000), new Array(1_999).fill(1)), {
        messages: [Buffer.from(payload.subarray(0, 2_000)).toString()],
        ends: "may",
      }),
    () => {
      const ping = random.bytes(random.below(126));
      const pieces = fragments(TEXT, payload, [random.below(payload.length), 0, 0]);
      const between = wireFrame({ opcode: PING, payload: ping });
      return make("a ping between pieces", [pieces[0]!, between, ...pieces.slice(1)], {
        messages: [message],
        pings: [ping],
        ends: "never",
      });
    },
    () =>
      make("a mask", wireFrame({ opcode: TEXT, payload, mask: random.bytes(4) }), {
        messages: [message],
        ends: "never",
      }),
    () => pinged("pings", 1 + random.below(60), "never"),
    // More than may wait for their answers: the `ws` package then ends the connection.
    () => pinged("a flood of pings", 61 + random.below(500), "may"),
    () =>
      make("a pong that nobody asked for", wireFrame({ opcode: PONG, payload: random.bytes(125) }), {
        ends: "never",
      }),
    () =>
      make("a message and empty pieces", fragments(TEXT, payload, new Array(5_000).fill(0)), {
        messages: [message],
        ends: "may",
      }),
    () =>
      make("a length in more bytes than needed", wireFrame({ opcode: TEXT, payload, lengthBytes: 8 }), {
        messages: [message],
        ends: "may",
      }),
    () =>
      make("exactly 1 MiB", wireFrame({ opcode: TEXT, payload: padded(message, MIB) }), {
        messages: [Buffer.from(padded(message, MIB)).toString()],
        ends: "never",
      }),
    // Too large.
    () => make("over 1 MiB", wireFrame({ opcode: TEXT, payload: padded(message, MIB + 1) })),
    () => make("over 1 MiB in pieces", fragments(TEXT, padded(message, MIB + 1), [500_000, 500_000])),
    () => make("a length of 2^63", wireFrame({ opcode: BINARY, payload, told: 1n << 63n })),
    () => make("a length of 2^53 + 1", wireFrame({ opcode: BINARY, payload, told: (1n << 53n) + 1n })),
    () => make("a length of 1 TiB", wireFrame({ opcode: BINARY, payload, told: 1n << 40n })),
    // Against the protocol.
    () => fault("no mask", { mask: null }),
    () => fault("a reserved bit", { reserved: 1 + random.below(7) }),
    () => fault("a reserved opcode", { opcode: random.pick([3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) }),
    () => fault("a continuation of nothing", { opcode: 0 }),
    () => make("a message within another", [wireFrame({ opcode: TEXT, payload, final: false }), whole]),
    () => control("a ping of 126 bytes", PING, random.bytes(126)),
    () => make("a ping in pieces", wireFrame({ opcode: PING, payload: random.bytes(5), final: false })),
    () =>
      make(
        "text that is no UTF-8",
        wireFrame({ opcode: TEXT, payload: Uint8Array.of(...utf8('{"a":"'), 0xff) }),
      ),
    () =>
      make(
        "text that ends in half a character",
        fragments(TEXT, Uint8Array.of(...utf8('"'), 0xe2, 0x82), [1]),
      ),
    // Ends.
    () => control("a close of one byte", CLOSE, Uint8Array.of(3)),
    () =>
      control(
        "a close with a code that is none",
        CLOSE,
        closing(random.pick([0, 999, 1004, 1005, 1006, 1015, 2_999, 5_000, 65_535])),
      ),
    () => control("a close with a reason that is no UTF-8", CLOSE, closing(1000, Uint8Array.of(0xff, 0xfe))),
    () => control("a close of 126 bytes", CLOSE, closing(1000, new Uint8Array(124).fill(97))),
    () =>
      control(
        "a close",
        CLOSE,
        random.pick([new Uint8Array(), closing(1000), closing(3_000), closing(4_999, utf8("bye"))]),
      ),
    () => make("a close and more", [wireFrame({ opcode: CLOSE, payload: closing(1000) }), whole, whole]),
    () =>
      make("half a frame, and the end", whole.subarray(0, 1 + random.below(whole.length - 1)), {
        then: "finish",
      }),
    () =>
      make("half a frame, and a reset", whole.subarray(0, 1 + random.below(whole.length - 1)), {
        then: "reset",
      }),
    () => make("a request and a reset", whole, { then: "reset" }),
    // Another protocol.
    () => make("HTTP", Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n")),
    () => make("TLS", Buffer.from("16030100c8010000c40303" + "00".repeat(200), "hex")),
    () => make("noise", Buffer.from(random.bytes(1 + random.below(300))), { ends: "may", then: "finish" }),
  ])();
}

/** The message with blanks after it. */
function padded(message: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(32);
  bytes.set(utf8(message));
  return bytes;
}
