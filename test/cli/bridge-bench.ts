/**
 * A bridge between a test that speaks as a client and a real `/mcp` endpoint, whose service can be restarted, kept away,
 * and made to lose answers.
 *
 * @module
 */
import { Hono } from "hono";
import type { Ask } from "../../src/cli/mcp/ask.ts";
import { Bridge } from "../../src/cli/mcp/bridge.ts";
import { readMessage } from "../../src/cli/mcp/messages.ts";
import { createMcpEndpoint, type McpEndpoint } from "../../src/mcp/transport.ts";
import type { ResourceProvider } from "../../src/mcp/resource.ts";
import type { Tool, ToolContext } from "../../src/mcp/tool.ts";
// @ts-types="@modelcontextprotocol/sdk/types"
import { EmptyResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { ANONYMOUS } from "../../src/ports/call.ts";
import { type Clock, systemClock } from "../../src/ports/clock.ts";
import { silentLog } from "../../src/ports/log.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { notesHost } from "../mcp/notes-service.ts";

// deno-lint-ignore no-explicit-any
type Message = Record<string, any>;

export const HELLO = {
  protocolVersion: "2025-06-18",
  capabilities: {},
  clientInfo: { name: "test", version: "0" },
};

/** What is asked over the line: the method of HTTP, and of JSON-RPC where there is a body. */
export interface Asked {
  readonly http: string;
  readonly rpc: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

export class BridgeBench {
  readonly bridge: Bridge;
  /** All that the client has been told. */
  readonly said: Message[] = [];
  readonly asked: Asked[] = [];
  /** What the tools have done. */
  readonly done: string[] = [];
  /** Why nobody serves; null where somebody does. */
  away: string | null = null;
  /** Whoever looks for the service waits for this. */
  looking: Promise<void> = Promise.resolve();
  /** JSON-RPC methods or tools whose next answer is lost, with the stream that it would come on. */
  readonly losing = new Set<string>();
  readonly #updated = new Set<() => void>();
  readonly #released: (() => void)[] = [];
  #endpoint: McpEndpoint;

  constructor(clock: Clock = systemClock) {
    this.#endpoint = this.#createEndpoint();
    const app = new Hono();
    app.all("/mcp", (context) => this.#endpoint.handle(context, ANONYMOUS));
    const ask: Ask = async (url, question) => {
      if (this.away !== null) {
        throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
      }
      const body = question.body === undefined ? null : JSON.parse(question.body);
      this.asked.push({ http: question.method, rpc: body?.method ?? null, headers: question.headers ?? {} });
      const answer = await app.fetch(new Request(url, question));
      for (const name of [body?.method, body?.params?.name]) {
        if (!this.losing.delete(name)) continue;
        // The service has done it: only then the line breaks.
        await answer.text();
        throw new TypeError("fetch failed", { cause: new Error("read ECONNRESET") });
      }
      return answer;
    };
    this.bridge = new Bridge({
      service: "notes",
      places: {
        find: async () => {
          await this.looking;
          if (this.away !== null) throw new Error(this.away);
          return { url: "http://127.0.0.1/mcp", ask, isOwn: false };
        },
      },
      credentials: { token: () => Promise.resolve(null), headers: () => Promise.resolve({}), advice: "" },
      clock,
      log: silentLog,
      say: (message) => Promise.resolve(void this.said.push(message as Message)),
    });
  }

  /** A client's message. Resolves when the next one may come. */
  async send(message: object): Promise<void> {
    const read = readMessage({ jsonrpc: "2.0", ...message } as JsonObject);
    if (typeof read === "string") throw new Error(read);
    await this.bridge.receive(read);
  }

  /** Ask, and wait for the answer. */
  async request(id: string | number, method: string, params: object = {}): Promise<Message> {
    await this.send({ id, method, params });
    await this.bridge.idle();
    return this.answerTo(id)!;
  }

  call(id: string | number, name: string, data: object = {}): Promise<Message> {
    return this.request(id, "tools/call", { name, arguments: data });
  }

  answerTo(id: string | number): Message | undefined {
    return this.said.find((message) => message.id === id && message.method === undefined);
  }

  told(method: string): Message[] {
    return this.said.filter((message) => message.method === method);
  }

  async initialize(): Promise<Message> {
    const answer = await this.request("hello", "initialize", HELLO);
    await this.send({ method: "notifications/initialized" });
    return answer;
  }

  /** The service ends, and another process serves: it knows no session of before. */
  async restart(): Promise<void> {
    await this.#endpoint.close();
    this.#endpoint = this.#createEndpoint();
  }

  /** The service ends, and nobody serves. */
  async stop(reason: string): Promise<void> {
    this.away = reason;
    await this.#endpoint.close();
  }

  /** Something about the watched resource changes. */
  update(): void {
    for (const tell of this.#updated) tell();
  }

  get watchers(): number {
    return this.#updated.size;
  }

  /** Let the calls of `wait` go on that wait now. */
  release(): void {
    for (const go of this.#released.splice(0)) go();
  }

  get waiting(): number {
    return this.#released.length;
  }

  #createEndpoint(): McpEndpoint {
    const tools = new Map(this.#tools().map((tool) => [tool.listing.name, tool]));
    this.#updated.clear();
    return createMcpEndpoint(notesHost(), {}, { tools, resources: this.#resources(), prompts: null });
  }

  #tools(): Tool[] {
    const tool = (
      name: string,
      readOnlyHint: boolean,
      work: (data: JsonObject, context: ToolContext) => Promise<string>,
    ) => ({
      listing: {
        name,
        title: name,
        description: name,
        inputSchema: { type: "object" },
        outputSchema: { type: "object" },
        annotations: { readOnlyHint, destructiveHint: false, idempotentHint: false, openWorldHint: false },
      },
      call: async (data: JsonObject, _: unknown, context: ToolContext) => {
        this.done.push(name);
        const text = await work(data, context);
        return { content: [{ type: "text", text }], structuredContent: {} };
      },
    } as unknown as Tool);
    return [
      tool("change", false, () => Promise.resolve("changed")),
      tool("look", true, () => Promise.resolve("looked")),
      tool("wait_for_event", true, () => Promise.resolve("came")),
      tool("wait", true, async (_, { signal, progress }) => {
        await progress?.(1);
        await new Promise<void>((resolve) => {
          this.#released.push(resolve);
          signal.addEventListener("abort", () => {
            this.done.push("cancelled");
            resolve();
          });
        });
        await progress?.(2);
        return "waited";
      }),
      tool("ask_client", true, async (_, { extra }) => {
        const { sendRequest } = extra as { sendRequest(request: object, schema: unknown): Promise<unknown> };
        await sendRequest({ method: "ping" }, EmptyResultSchema);
        return "the client is there";
      }),
    ];
  }

  #resources(): ResourceProvider {
    return {
      list: () => ({ resources: [{ uri: "notes://note/1", name: "1" }] }),
      templates: () => [],
      read: (uri) => [{ uri, text: "" }],
      subscribe: (_, __, updated) => {
        this.#updated.add(updated);
        return () => void this.#updated.delete(updated);
      },
      complete: () => ({ values: [] }),
      onListChanged: () => () => {},
    };
  }
}
