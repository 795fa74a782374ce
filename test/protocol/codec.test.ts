import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { correlationOf, decodeFrame, encodeEvent, encodeFrame } from "../../src/protocol/codec.ts";
import { FRAME_TYPES, type InboundFrame, type OutboundFrame } from "../../src/protocol/envelope.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { stringifyJson } from "../../src/protocol/json.ts";

const ID = "0b5f4c1e-8f0e-4d56-9a3c-2f1f6c7d8e90";
const OTHER_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

function decoded(data: string | Uint8Array): InboundFrame {
  const result = decodeFrame(data);
  if (!result.ok) throw new Error(result.reason);
  return result.frame;
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

describe("decodeFrame, as the Python decoder does,", () => {
  it("takes a frame that has nothing but a type", () => {
    expect(decoded('{"type":"ping"}')).toStrictEqual({
      type: "ping",
      id: undefined,
      correlation_id: undefined,
      event: null,
      data: {},
      room: null,
      traceparent: undefined,
    });
  });

  it.each(FRAME_TYPES)("takes type %s", (type) => expect(decoded(JSON.stringify({ type })).type).toBe(type));

  it.each<[string, string | Uint8Array]>([
    ["unknown top-level keys", '{"type":"ping","extra":{"a":[1]},"seq":"x","status":5}'],
    [
      "null where null is allowed",
      '{"type":"ping","correlation_id":null,"event":null,"room":null,"error_code":null,"error_message":null}',
    ],
    ["an empty id and timestamp", '{"type":"ping","id":"","timestamp":""}'],
    ["blanks around the object", ' \r\n\t{ "type" : "ping" } \r\n\t'],
    ["duplicate keys", '{"type":"nonsense","type":"ping"}'],
    ["NaN", '{"type":"ping","data":{"n":NaN}}'],
    ["Infinity", '{"type":"ping","data":{"n":Infinity}}'],
    ["1e400", '{"type":"ping","data":{"n":1e400}}'],
    ["huge integers", '{"type":"ping","data":{"n":123456789012345678901234567890}}'],
    ["an escaped surrogate pair", '{"type":"ping","data":{"face":"\\ud83d\\uDE00"}}'],
    ["the text of a surrogate escape", '{"type":"ping","data":{"text":"\\\\ud800"}}'],
    ["a binary message that holds UTF-8", utf8('{"type":"ping","data":{"é":"日😀"}}')],
  ])("takes %s", (_, data) => expect(decoded(data).type).toBe("ping"));

  it.each<[string, string | Uint8Array]>([
    ["no type", '{"id":"a"}'],
    ["a null type", '{"type":null}'],
    ["a type in another case", '{"type":"Ping"}'],
    ["an unknown type", '{"type":"hello"}'],
    ["a type that is a key of every object", '{"type":"constructor"}'],
    ["a type that is an array", '{"type":["ping"]}'],
    ["a null id", '{"type":"ping","id":null}'],
    ["a null timestamp", '{"type":"ping","timestamp":null}'],
    ["null data", '{"type":"ping","data":null}'],
    ["a number as id", '{"type":"ping","id":5}'],
    ["a long integer as id", '{"type":"ping","id":12345678901234567890}'],
    ["a number as timestamp", '{"type":"ping","timestamp":1.5}'],
    ["a number as correlation_id", '{"type":"ping","correlation_id":5}'],
    ["a number as event", '{"type":"ping","event":5}'],
    ["a number as room", '{"type":"ping","room":5}'],
    ["a number as error_code", '{"type":"ping","error_code":5}'],
    ["a boolean as error_message", '{"type":"ping","error_message":true}'],
    ["data that is an array", '{"type":"ping","data":[]}'],
    ["data that is a string", '{"type":"ping","data":"x"}'],
    ["an array", "[]"],
    ["a string", '"ping"'],
    ["a number", "1"],
    ["null", "null"],
    ["an empty message", ""],
    ["an empty binary message", new Uint8Array(0)],
    ["trailing bytes", '{"type":"ping"}x'],
    ["a second object", '{"type":"ping"}{"type":"ping"}'],
    ["a trailing NUL", '{"type":"ping"}\0'],
    ["a byte order mark", '\ufeff{"type":"ping"}'],
    ["a byte order mark in a binary message", utf8('\ufeff{"type":"ping"}')],
    ["an escaped lone high surrogate", '{"type":"ping","data":{"a":"\\ud800"}}'],
    ["an escaped lone low surrogate", '{"type":"ping","data":{"a":"\\uDFFF"}}'],
    ["a high surrogate before another high one", '{"type":"ping","data":{"a":"\\ud83d\\ud83d\\ude00"}}'],
    ["escaped surrogates in the wrong order", '{"type":"ping","data":{"a":"\\ude00\\ud83d"}}'],
    ["an escaped lone surrogate after a backslash", '{"type":"ping","data":{"a":"\\\\\\ud800"}}'],
    ["an escaped lone surrogate in a key", '{"type":"ping","data":{"\\ud800":1}}'],
    ["an escaped lone surrogate in an unknown key", '{"type":"ping","extra":["\\ud800"]}'],
    ["an escaped lone surrogate in a value that is replaced", '{"type":"ping","room":"\\ud800","room":"a"}'],
    ["a raw lone surrogate", '{"type":"ping","room":"\ud800"}'],
    ["a binary message of invalid UTF-8", new Uint8Array([0x7b, 0xff, 0x7d])],
    ["a binary message that ends inside a character", utf8('{"type":"ping","room":"é"}').slice(0, -3)],
    ["a binary message with a surrogate encoded in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ])("refuses %s", (_, data) => {
    const result = decodeFrame(data);
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.reason).toMatch(/^Malformed (frame|JSON)\b.*[^.]$/);
  });

  it("reads every field", () => {
    const fields = {
      id: ID,
      correlation_id: "c",
      type: "request",
      event: "subscribe",
      data: { channel: "global" },
      timestamp: "2026-11-23T00:11:27.248999",
      room: "global",
      error_code: null,
      error_message: "ignored",
      traceparent: TRACEPARENT,
    };
    const { timestamp: _, error_code: __, error_message: ___, ...kept } = fields;
    expect(decoded(JSON.stringify(fields))).toStrictEqual(kept);
  });

  it("keeps huge integers exactly and what is not finite as it is", () => {
    expect(decoded('{"type":"event","data":{"a":9007199254740993,"b":NaN,"c":1e400}}').data).toStrictEqual({
      a: 9007199254740993n,
      b: NaN,
      c: Infinity,
    });
  });

  it("decodes the next binary message after an invalid one", () => {
    expect(decodeFrame(new Uint8Array([0xe2, 0x82])).ok).toBe(false);
    expect(decodeFrame(utf8('{"type":"ping"}')).ok).toBe(true);
  });
});

describe("decodeFrame", () => {
  it.each([
    ["type", '{"type":"secret"}', /'type' to be one of request, response, .*, ack, got another string$/],
    ["type", "{}", /'type' to be one of .*, got nothing$/],
    ["id", '{"type":"ping","id":5}', /expected 'id' to be a string, got a number$/],
    ["event", '{"type":"ping","event":{}}', /expected 'event' to be a string or null, got an object$/],
    ["data", '{"type":"ping","data":["secret"]}', /expected 'data' to be an object, got an array$/],
    ["frame", "null", /expected a JSON object, got null$/],
  ])("says what was expected of %s in %s and what came", (_, text, reason) => {
    const result = decodeFrame(text);
    expect(result).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
    expect(result.ok ? "" : result.reason).not.toContain("secret");
  });

  it.each([
    ["the id where the JSON holds one", '{"id":"a","type":"hello"}', "a"],
    ["the id beside a lone surrogate", '{"id":"a","type":"ping","room":"\\ud800"}', "a"],
    ["null where the id is a number", '{"id":5,"type":"ping"}', null],
    ["null where the id holds a lone surrogate", '{"id":"\\ud800","type":"ping"}', null],
    ["null where there is no id", '{"type":"hello"}', null],
    ["null where the text is not JSON", '{"id":"a","type":"ping"', null],
    ["null where it is no object", '["id"]', null],
  ])(
    "returns %s with a refusal",
    (_, text, id) => expect(decodeFrame(text)).toMatchObject({ ok: false, id }),
  );

  it("drops a traceparent that is malformed or of another type", () => {
    for (
      const traceparent of [
        "x",
        5,
        null,
        TRACEPARENT.toUpperCase(),
        `${TRACEPARENT}x`,
        TRACEPARENT + "-" + "x".repeat(999),
      ]
    ) {
      expect(decoded(JSON.stringify({ type: "ping", traceparent })).traceparent).toBeUndefined();
    }
    const later = `cc${TRACEPARENT.slice(2)}-what-comes-later`;
    expect(decoded(JSON.stringify({ type: "ping", traceparent: later })).traceparent).toBe(later);
  });

  it("keeps __proto__ as a key of the data and away from the frame", () => {
    const frame = decoded('{"type":"ping","__proto__":{"id":"evil"},"data":{"__proto__":{"a":1}}}');
    expect(frame.id).toBeUndefined();
    expect(Object.keys(frame.data)).toStrictEqual(["__proto__"]);
    expect("a" in frame.data).toBe(false);
  });

  it("never throws on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
        decodeFrame(text);
        decodeFrame(`{"type":"ping","id":"a${text}`);
        decodeFrame(`{"type":"ping","id":${JSON.stringify(text)}}`);
      }),
    );
  });

  it("never throws on any bytes", () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeFrame(bytes)));
  });

  it("never throws on a mutated frame, and what it takes has the right types", () => {
    const valid = encodeFrame({ ...FRAME, data: { face: "😀\\", n: [1.5, 18446744073709551616n, null] } });
    const pieces = fc.oneof(
      fc.string({ unit: "binary", maxLength: 3 }),
      fc.constantFrom("\\ud800", "NaN", "null", '"', "{", "}", ",", "9".repeat(20), '"type":1,'),
    );
    const mutation = fc.tuple(fc.nat(valid.length), fc.nat(6), pieces);
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 3 }), (mutations) => {
        let text = valid;
        for (const [at, cut, piece] of mutations) text = text.slice(0, at) + piece + text.slice(at + cut);
        const result = decodeFrame(text);
        if (!result.ok) return;
        expect(FRAME_TYPES).toContain(result.frame.type);
        expect(["string", "undefined"]).toContain(typeof result.frame.id);
        expect(Object.getPrototypeOf(result.frame.data)).toBe(Object.prototype);
      }),
      { numRuns: 2000 },
    );
  });

  it("reads back the data that encodeFrame wrote", () => {
    const leaf = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.bigInt({ min: 2n ** 53n }),
      fc.integer(),
      fc.boolean(),
    );
    const data = fc.dictionary(fc.string({ unit: "binary" }), fc.oneof(leaf, fc.array(leaf)), {
      noNullPrototype: true,
    });
    fc.assert(fc.property(data, (data) => {
      expect(isDeepStrictEqual(decoded(encodeFrame({ ...FRAME, data })).data, data)).toBe(true);
    }));
  });
});

const FRAME: OutboundFrame = {
  id: ID,
  correlation_id: null,
  type: "response",
  event: "subscribe",
  data: {},
  timestamp: "2026-01-01T00:00:00.000Z",
  room: null,
  error_code: null,
  error_message: null,
};

describe("encodeFrame", () => {
  it("writes nine keys in order, nulls included, without blanks", () => {
    expect(encodeFrame(FRAME)).toBe(
      `{"id":"${ID}","correlation_id":null,"type":"response","event":"subscribe","data":{},` +
        '"timestamp":"2026-01-01T00:00:00.000Z","room":null,"error_code":null,"error_message":null}',
    );
  });

  it("writes the additions that are set after them, whatever order they came in", () => {
    const text = encodeFrame({
      message: "Hello",
      status: "subscribed",
      traceparent: TRACEPARENT,
      epoch: "e",
      prev: 0,
      seq: 1,
      ...FRAME,
    });
    expect(text.slice(text.indexOf('"error_message"'))).toBe(
      `"error_message":null,"seq":1,"prev":0,"epoch":"e","traceparent":"${TRACEPARENT}","status":"subscribed","message":"Hello"}`,
    );
    expect(encodeFrame({ ...FRAME, status: "ok" })).toMatch(/"error_message":null,"status":"ok"\}$/);
  });

  it("writes no key that the envelope does not have", () => {
    const frame = { ...FRAME, secret: 1 };
    expect(encodeFrame(frame)).toBe(encodeFrame(FRAME));
  });

  it("writes bigints as digits, what is not finite as null and lone surrogates as U+FFFD", () => {
    const text = encodeFrame({ ...FRAME, data: { a: 9007199254740993n, b: NaN, "\ud800": "\udfff" } });
    expect(text).toContain('"data":{"a":9007199254740993,"b":null,"\ufffd":"\ufffd"}');
  });
});

describe("encodeFrame, whatever is in a frame,", () => {
  const text = fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.string({ maxLength: 80 }));
  const units = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units));
  const textOrNull = fc.oneof(fc.constant(null), text, units);
  const set = <T>(value: fc.Arbitrary<T>) => fc.oneof(fc.constant(undefined), value);
  const frames = fc.record({
    id: fc.uuid(),
    correlation_id: textOrNull,
    type: fc.constantFrom(...FRAME_TYPES),
    event: textOrNull,
    data: fc.dictionary(text, fc.oneof(fc.jsonValue(), fc.bigInt(), units)),
    timestamp: fc.constant(FRAME.timestamp),
    room: textOrNull,
    error_code: textOrNull,
    error_message: textOrNull,
    seq: set(fc.oneof(fc.nat(), fc.double())),
    prev: set(fc.nat()),
    epoch: set(text),
    traceparent: set(text),
    status: set(units),
    message: set(text),
  });

  it("writes the bytes that stringifyJson writes of an object with its keys in order", () => {
    fc.assert(fc.property(frames, (frame) => {
      const asOne = stringifyJson({ ...frame });
      expect(encodeFrame(frame as OutboundFrame)).toBe(asOne);
      expect(encodeFrame(frame as OutboundFrame, stringifyJson(frame.data))).toBe(asOne);
    }));
  });
});

describe("encodeEvent", () => {
  const event: SequencedEvent = {
    id: ID,
    channel: "session:a",
    event: "session.updated",
    data: { session_id: "a", timestamp: "2026-01-01T00:00:00.000Z" },
    timestamp: "2026-01-01T00:00:00.000Z",
    ephemeral: false,
    epoch: "e",
    seq: 7,
    prev: 5,
  };

  it("writes the frame that encodeFrame writes for it", () => {
    const frame: OutboundFrame = {
      ...FRAME,
      type: "event",
      event: event.event,
      data: event.data,
      room: "session:a",
      seq: 7,
      prev: 5,
      epoch: "e",
    };
    expect(encodeEvent(event)).toBe(encodeFrame(frame));
    const traced = { traceparent: TRACEPARENT };
    expect(encodeEvent({ ...event, ...traced })).toBe(encodeFrame({ ...frame, ...traced }));
  });
});

describe("correlationOf", () => {
  it.each<[string, string | undefined, string | null | undefined, string | null, string | null]>([
    ["the id where it is alone", "a", undefined, "a", null],
    ["the id where correlation_id is null", "a", null, "a", null],
    ["correlation_id where it is alone", undefined, "c", "c", "c"],
    ["either where they are equal", "a", "a", "a", "a"],
    ["the id of two different UUIDs", ID, OTHER_ID, ID, OTHER_ID],
    ["correlation_id where the id is no UUID", "a", OTHER_ID, OTHER_ID, OTHER_ID],
    ["correlation_id where it is no UUID", ID, "c", "c", "c"],
    [
      "correlation_id where it is an upper-case UUID",
      ID,
      OTHER_ID.toUpperCase(),
      OTHER_ID.toUpperCase(),
      OTHER_ID.toUpperCase(),
    ],
    [
      "correlation_id where it is a UUID of another version",
      ID,
      OTHER_ID.replace("-4", "-7"),
      OTHER_ID.replace("-4", "-7"),
      OTHER_ID.replace("-4", "-7"),
    ],
    ["null where there is neither", undefined, undefined, null, null],
    ["null where there is null only", undefined, null, null, null],
  ])("is %s", (_, id, correlation_id, compatible, strict) => {
    expect(correlationOf({ id, correlation_id }, "compatible")).toBe(compatible);
    expect(correlationOf({ id, correlation_id }, "strict")).toBe(strict);
  });
});
