/**
 * HTTP requests over connections that stay open, so many under way at a time.
 *
 * @module
 */
import { Agent, request } from "node:http";
import { type Delays, DelaySample } from "./delays.ts";

export interface Call {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** In JSON. `#` in it becomes another number each time. */
  readonly body: string;
}

const PATIENCE_MS = 10_000;

/** Ask the same again and again. */
export async function callAll(
  { atOnce, ms, ...call }: Call & { atOnce: number; ms: number },
): Promise<Delays & { answers: number; elapsedMs: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const delays = new DelaySample(1);
  const begun = performance.now();
  let asked = 0;
  let answers = 0;
  const one = async () => {
    while (performance.now() < begun + ms) {
      const at = performance.now();
      await ask(agent, { ...call, body: call.body.replace("#", String(++asked)) });
      answers++;
      if (delays.next()) delays.add(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  agent.destroy();
  return { answers, elapsedMs: performance.now() - begun, ...delays.figures() };
}

function ask(agent: Agent, { port, path, headers, body }: Call): Promise<void> {
  const length = { "content-length": String(Buffer.byteLength(body)), "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: "127.0.0.1", port, path, method: "POST", agent, headers: { ...length, ...headers } },
      (response) => {
        response.resume();
        response.on("error", reject);
        response.on("end", () => {
          if (response.statusCode === 200) resolve();
          else reject(new Error(`Expected ${path} to answer 200, got ${response.statusCode}`));
        });
      },
    );
    outgoing.setTimeout(PATIENCE_MS, () => {
      outgoing.destroy(new Error(`Expected ${path} to answer, got nothing in ${PATIENCE_MS} ms`));
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
