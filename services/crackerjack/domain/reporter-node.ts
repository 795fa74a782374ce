/**
 * Our reporter for `node --test`, as the text of a module.
 *
 * `test:complete` is told in the order in which tests end; `test:pass` and `test:fail` wait for those declared before.
 * Where Node has no verdict in the former, the latter count. A file that cannot be loaded is a failed test of its name,
 * as in Node's own summary.
 *
 * Node holds all results of a file back until the files before it have ended. So they are also read where they come in:
 * on the output of the process that runs the file. How they look there is Node's own affair; what cannot be read there
 * is told when Node tells it.
 *
 * @module
 */
import { APPEND_SOURCE } from "./reporter-append.ts";

/** Results as Node's test processes write them: `FF 0F`, the length in four bytes, a value as `v8.serialize` makes it. */
const FRAMES = `
const MAX_FRAME_BYTES = 4_194_304;
const MAGIC = Buffer.from([0xff, 0x0f]);

/** Hears the items in the bytes that come, up to the first that it cannot read. */
function readFrames(hear) {
  let held = Buffer.alloc(0);
  let isLost = false;
  return (bytes) => {
    if (isLost) return;
    try {
      held = Buffer.concat([held, bytes]);
      for (;;) {
        const start = held.indexOf(MAGIC);
        // Between the frames stands what the tests print.
        held = start < 0 ? held.subarray(held.length - (held.at(-1) === MAGIC[0] ? 1 : 0)) : held.subarray(start);
        if (start < 0 || held.length < 6) return;
        const size = held.readUInt32BE(2);
        if (size > MAX_FRAME_BYTES) throw new Error("no frame");
        if (held.length < 6 + size) return;
        hear(deserialize(held.subarray(6, 6 + size)));
        held = held.subarray(6 + size);
      }
    } catch {
      isLost = true;
      held = Buffer.alloc(0);
    }
  };
}

/** Errors travel as bytes, of which the first says how. */
function readError(value) {
  if (!(value instanceof Uint8Array)) return value;
  const rest = value.subarray(1);
  if (value[0] === 2) return Buffer.from(rest).toString();
  const read = deserialize(rest);
  if (value[0] === 1) return read;
  const of = (name) => read.properties[name]?.value;
  return { message: of("message"), stack: of("stack"), cause: readError(of("cause")) };
}
`;

export const NODE_REPORTER = `import { subscribe } from "node:diagnostics_channel";
import { deserialize } from "node:v8";
${APPEND_SOURCE}${FRAMES}
const textOf = (error) => {
  const cause = error?.cause ?? error;
  const message = cause instanceof Error || cause?.message ? cause.message : cause;
  return { e: String(message ?? ""), b: String(cause?.stack ?? "") };
};

function tell(data, passed, name = data.name) {
  if (data.details?.type === "suite") return;
  const off = (value) => value === undefined || value === false;
  const state = !off(data.skip) || !off(data.todo) ? "skipped" : passed ? "passed" : "failed";
  if (state !== "failed") return append({ t: "test", s: state });
  append({ t: "test", s: state, n: name, f: data.file, ...textOf(data.details?.error) });
}

function isFile(data) {
  if (data.nesting !== 0 || typeof data.name !== "string") return false;
  return resolve(data.name) === data.file || data.name === data.file;
}

const early = new Map();
const keyOf = ({ file, nesting, line, column, name }) => [file, nesting, line, column, name].join("|");

function hearEarly({ type, data }) {
  if (type !== "test:complete" || typeof data.details?.passed !== "boolean" || isFile(data)) return;
  const error = readError(data.details.error);
  tell({ ...data, details: { ...data.details, error } }, data.details.passed);
  const key = keyOf(data);
  early.set(key, (early.get(key) ?? 0) + 1);
}

function wasEarly(data) {
  const key = keyOf(data);
  const count = early.get(key) ?? 0;
  if (count > 1) early.set(key, count - 1);
  else early.delete(key);
  return count > 0;
}

// Without processes of their own for the files, those that there are belong to the tests.
const given = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ");
if (!/test-isolation[= ]none/.test(given)) {
  subscribe("child_process", ({ process: child }) => {
    child.once("spawn", () => {
      if (child.spawnfile === process.execPath) child.stdout?.on("data", readFrames(hearEarly));
    });
  });
}

let completes = false;

export default async function* report(source) {
  for await (const { type, data } of source) {
    try {
      if (type === "test:complete") {
        if (typeof data.details?.passed !== "boolean") continue;
        completes = true;
        if (!isFile(data) && !wasEarly(data)) tell(data, data.details.passed);
      } else if (type === "test:pass" || type === "test:fail") {
        if (isFile(data)) tell(data, type === "test:pass", relative(process.cwd(), data.file));
        else if (!completes) tell(data, type === "test:pass");
      }
    } catch {
      // A result that cannot be told must not end the run.
    }
  }
  append({ t: "end" });
}
`;
