/**
 * An MCP client that follows one resource, as an agent's program does: each time that it is told of an update it reads
 * what there is, and notes which events it has seen.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
// @ts-types="@modelcontextprotocol/sdk/types"
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

interface Content {
  readonly epoch: string;
  readonly seq: number;
  readonly snapshot: Readonly<Record<string, unknown>> | null;
  readonly recent: readonly { readonly event: string; readonly data: Readonly<Record<string, unknown>> }[];
}

export class Subscriber {
  readonly client = new Client({ name: "follower", version: "0" });
  readonly #uri: string;
  readonly #transport: StreamableHTTPClientTransport;
  #canResume = false;
  /** URIs that it was told of, oldest first, and how many streams it had opened by then. */
  readonly updates: { readonly uri: string; readonly streams: number }[] = [];
  /** `Last-Event-ID` of each GET that was answered by a stream; null where it had none. */
  readonly resumed: (string | null)[] = [];

  constructor(url: string, uri: string) {
    this.#uri = uri;
    this.#transport = new StreamableHTTPClientTransport(new URL(url), {
      // It never gives up, and comes back soon.
      reconnectionOptions: {
        initialReconnectionDelay: 20,
        maxReconnectionDelay: 100,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 10_000,
      },
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (init?.method !== "GET" || !response.ok) return response;
        this.resumed.push(new Headers(init.headers).get("last-event-id"));
        return new Response(this.#watched(response.body!), response);
      },
    });
    this.client.onerror = () => {};
    this.client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      this.updates.push({ uri: params.uri, streams: this.resumed.length });
    });
  }

  /** Whether it has an event's id to come back with. */
  get canResume(): boolean {
    return this.#canResume;
  }

  async open(): Promise<void> {
    await this.client.connect(this.#transport);
    await this.client.subscribeResource({ uri: this.#uri });
  }

  async read(): Promise<Content> {
    const { contents: [content] } = await this.client.readResource({ uri: this.#uri });
    return JSON.parse((content as { text: string }).text) as Content;
  }

  #watched(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
    const watch = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        if (new TextDecoder().decode(chunk).includes("id: ")) this.#canResume = true;
        controller.enqueue(chunk);
      },
    });
    return stream.pipeThrough(watch);
  }

  close(): Promise<void> {
    return this.client.close();
  }
}
