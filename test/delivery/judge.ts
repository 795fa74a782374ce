/**
 * Judges a run: each connection by its frames, each reader by what it knows in the end, and what was committed by what
 * was asked.
 *
 * @module
 */
import { ConnectionJudge, type Evidence } from "./judge-connection.ts";
import { judgeKnowledge } from "./judge-knowledge.ts";
import { judgeOperations } from "./judge-operations.ts";
import { Pulses } from "./pulses.ts";
import type { RunRecord } from "./record.ts";

/** @throws Violation, the first that is found. */
export function judge(run: RunRecord): void {
  const { committed, prompt, readers } = run;
  const operations = new Map(run.operations.map((operation) => [operation.n, operation]));
  const evidence: Evidence = { committed, prompt, operations, pulses: new Pulses(readers) };
  for (const { transcripts } of readers) {
    for (const transcript of transcripts) new ConnectionJudge(transcript, evidence).judge();
  }
  for (const reader of readers) judgeKnowledge(reader, evidence);
  judgeOperations(evidence);
}
