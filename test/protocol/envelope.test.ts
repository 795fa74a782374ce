import { describe, expect, it } from "vitest";
import { encodeFrame } from "../../src/protocol/codec.ts";
import { FRAME_TYPES, MAX_OUTBOUND_FRAME_BYTES } from "../../src/protocol/envelope.ts";
import { ERRORS, Refusal } from "../../src/protocol/errors.ts";

describe("FRAME_TYPES", () => {
  it("are the nine of the Python layer, in lower case", () => {
    expect([...FRAME_TYPES].sort()).toStrictEqual(
      ["ack", "error", "event", "ping", "pong", "request", "response", "subscribe", "unsubscribe"],
    );
  });
});

describe("MAX_OUTBOUND_FRAME_BYTES", () => {
  it("stays below the size at which Python's websockets library closes", () => {
    expect(MAX_OUTBOUND_FRAME_BYTES).toBeLessThan(2 ** 20);
  });
});

describe("OutboundFrame", () => {
  it("can answer every error of the table", () => {
    for (const error_code of Object.keys(ERRORS)) {
      const text = encodeFrame({
        id: "a",
        correlation_id: null,
        type: "error",
        event: null,
        data: {},
        timestamp: "2026-01-01T00:00:00.000Z",
        room: null,
        error_code,
        error_message: "No",
      });
      expect(JSON.parse(text)).toMatchObject({
        type: "error",
        event: null,
        data: {},
        error_code,
        error_message: "No",
      });
    }
  });
});

describe("Refusal", () => {
  it("carries code and sentence for the caller", () => {
    const refusal = new Refusal("NOT_FOUND", "No session 'a'");
    expect(refusal).toBeInstanceOf(Error);
    expect(refusal).toMatchObject({ name: "Refusal", code: "NOT_FOUND", message: "No session 'a'" });
  });
});
