import { describe, expect, test } from "vitest";
import { surveyRecord } from "../../../src/cli/replay/survey.ts";
import { openRecord } from "../../../src/recording/read-record.ts";
import { formatLine } from "../../../src/recording/record-line.ts";
import type { RecordEntry } from "../../../src/recording/record.ts";
import { HEADER } from "../../recording/header.ts";
import { bytesOf } from "../../recording/pieces.ts";

const event = (seq: number): RecordEntry => ({
  at: seq,
  type: "event",
  channel: `a:${seq % 2}`,
  event: "a.happened",
  id: String(seq),
  data: {},
  timestamp: "",
  seq,
});

describe("surveyRecord()", () => {
  test("ends at once when somebody wishes it, and lets go of the record", async () => {
    let hasLetGo = false;
    async function* endless() {
      try {
        yield bytesOf(formatLine(HEADER));
        for (let seq = 1;; seq++) yield bytesOf(formatLine(event(seq)));
      } finally {
        hasLetGo = true;
      }
    }
    let seen = 0;
    const survey = await surveyRecord(await openRecord(endless(), "a"), "a", {
      each: () => seen++,
      isStopped: () => seen === 1_000,
    });
    expect([survey, seen, hasLetGo]).toEqual([null, 1_000, true]);
  });

  test("counts what is wanted of it, and knows where that ends", async () => {
    async function* whole() {
      yield bytesOf(formatLine(HEADER) + [1, 2, 3, 4, 5].map((seq) => formatLine(event(seq))).join(""));
    }
    const look = async (part: object) => surveyRecord(await openRecord(whole(), "a"), "a", { part });
    expect(await look({})).toMatchObject({ count: 5, wanted: 5, last: { at: 5, seq: 5 } });
    expect(await look({ channels: ["a:0"], from: { by: "seq", seq: 3 } }))
      .toMatchObject({ count: 5, wanted: 1, last: { at: 4, seq: 4 } });
    expect(await look({ channels: ["a:0"], from: { by: "offset", ms: 5 } }))
      .toMatchObject({ wanted: 0, last: { at: 4, seq: 4 } });
    expect((await look({}))!.channels).toEqual(new Set(["a:0", "a:1"]));
  });
});
