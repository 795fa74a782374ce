/**
 * A program for `processes.test.ts`: runs some children, starts one that lives on, writes what came of it, and then
 * exits or stays.
 *
 * @module
 */
import { detectRuntime } from "../../src/runtimes/detect.ts";

const { processes } = await detectRuntime();

const results = [
  await processes.run("sh", ["-c", "echo out; echo err >&2; exit 3"]),
  await processes.run("sh", ["-c", "sleep 60 & sleep 60"], { timeoutMs: 200 }),
  await processes.run("yes", [], { maxOutputBytes: 4 }),
  await processes.run("no-such-program", []).catch((error: Error) => error.message),
];
const child = await processes.start("sleep", ["60"], { onOutput() {} });
console.log(JSON.stringify({ results, mark: child.mark }));
if (process.argv[2] === "exit") process.exit(0);
