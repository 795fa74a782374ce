import { expect, test } from "vitest";
import { parseFrame } from "../../src/client/frames.ts";

test("parseFrame gives every frame data", () => {
  expect(parseFrame('{"type":"event","room":null}')).toEqual({ type: "event", room: null, data: {} });
  expect(parseFrame('{"type":"event","data":null}')).toEqual({ type: "event", data: {} });
  expect(parseFrame('{"type":"event","data":{"n":1},"room":"a:b"}'))
    .toEqual({ type: "event", data: { n: 1 }, room: "a:b" });
});

test.each(["", "{", "null", "7", "true", '"text"', '{"data":7}', '{"data":"text"}', '{"room":7}'])(
  "parseFrame takes %s for none",
  (text) => expect(parseFrame(text)).toBeNull(),
);

test("parseFrame takes bytes for none", () => {
  expect(parseFrame(new Uint8Array([123, 125]).buffer)).toBeNull();
});

test.each([
  "{}",
  '{"type":7}',
  '{"type":"event","data":[]}',
  '{"type":"event","event":{}}',
  '{"type":"event","id":7}',
  '{"type":"event","timestamp":1.5}',
  '{"type":"response","correlation_id":7}',
  '{"type":"error","error_code":403}',
  '{"type":"error","error_message":{"toString":1}}',
  '{"type":"event","seq":1}',
  '{"type":"event","epoch":"e"}',
  '{"type":"event","seq":-1,"epoch":"e"}',
  '{"type":"event","seq":1.5,"epoch":"e"}',
  '{"type":"event","seq":9007199254740993,"epoch":"e"}',
  '{"type":"event","seq":"1","epoch":"e"}',
  '{"type":"event","seq":1,"epoch":7}',
  '{"type":"event","seq":1,"prev":"0","epoch":"e"}',
  `{"type":"event","seq":1,"epoch":"${"e".repeat(256)}"}`,
])("parseFrame takes %s for none, as a member has another type than it may have", (text) => {
  expect(parseFrame(text)).toBeNull();
});
