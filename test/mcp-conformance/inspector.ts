/**
 * The command line of the official Inspector, a process for each question.
 *
 * @module
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { requireOrSkip } from "../support/require.ts";
import { executable, type RuntimeName } from "../support/start-program.ts";
import type { ToolAnswer } from "../mcp/mcp-client.ts";
import { runProgram } from "./run-program.ts";

// What `mcp-inspector --cli` starts.
const program = fileURLToPath(
  new URL("../../node_modules/@modelcontextprotocol/inspector-cli/build/index.js", import.meta.url),
);

export interface ListedTool {
  readonly name: string;
}

export function hasInspector(): boolean {
  const found = existsSync(program) && executable("node") !== undefined;
  return requireOrSkip("the MCP Inspector's command line", found, "run npm ci");
}

/** The Inspector, to be asked about one server. */
export class Inspector {
  readonly #url: string;
  readonly #runtime: string;

  /** @param runtime That runs the Inspector. It is made for Node; Bun starts it in half the time. */
  constructor(url: string, runtime: RuntimeName) {
    this.#url = url;
    this.#runtime = executable(runtime)!;
  }

  async listTools(): Promise<readonly ListedTool[]> {
    return (await this.#ask<{ tools: readonly ListedTool[] }>(["--method", "tools/list"])).tools;
  }

  /** @param data Arguments, which the Inspector takes as texts, and makes of them what the tool's schema says. */
  callTool(name: string, data: Readonly<Record<string, unknown>> = {}): Promise<ToolAnswer> {
    const pairs = Object.entries(data).flatMap(([key, value]) => [
      "--tool-arg",
      `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    ]);
    return this.#ask<ToolAnswer>(["--method", "tools/call", "--tool-name", name, ...pairs]);
  }

  async #ask<Answer>(args: readonly string[]): Promise<Answer> {
    const end = await runProgram(this.#runtime, [program, this.#url, "--transport", "http", ...args]);
    if (end.code !== 0) {
      throw new Error(`The Inspector has ended with ${end.code}: ${end.stderr}${end.stdout}`);
    }
    return JSON.parse(end.stdout) as Answer;
  }
}
