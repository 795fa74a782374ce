/**
 * Lets Node 20 load TypeScript: `node --import ./test/support/typescript-hooks.mjs program.ts`. Types are taken out
 * file by file, nothing is checked. Newer versions of Node do this by themselves.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { isMainThread } from "node:worker_threads";
import ts from "typescript";

// This file is loaded twice: as the preload that registers it, and on the hooks' own thread.
if (isMainThread) register(import.meta.url);

const compilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
};

/**
 * @see https://nodejs.org/docs/latest-v20.x/api/module.html#loadurl-context-nextload
 * @type {import("node:module").LoadHook}
 */
export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const fileName = new URL(url);
  const text = await readFile(fileName, "utf8");
  const { outputText } = ts.transpileModule(text, { fileName: fileName.pathname, compilerOptions });
  return { format: "module", source: outputText, shortCircuit: true };
}
