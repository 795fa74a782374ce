/**
 * Server-sent events, taken apart.
 *
 * @module
 */

export interface ServerEvent {
  /** What a reader names to go on after this event; null where it has none. */
  readonly id: string | null;
  /** Empty where the event only carries an id. */
  readonly data: string;
  /** Milliseconds that the server asks for before a reader comes back; null where it does not say. */
  readonly retryMs: number | null;
}

/** Events as they become whole; what the stream breaks off within is left out. Rejects where the stream breaks. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let [id, retryMs]: [string | null, number | null] = [null, null];
  let data: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0 || id !== null || retryMs !== null) {
            yield { id, retryMs, data: data.join("\n") };
          }
          [id, retryMs, data] = [null, null, []];
          continue;
        }
        const [, field = "", text = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
        if (field === "data") data.push(text);
        if (field === "id") id = text;
        if (field === "retry" && /^\d{1,9}$/.test(text)) retryMs = Number(text);
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
