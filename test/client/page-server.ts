/**
 * A web server for one page: its script, the bundle of the client, and a place to which it reports.
 *
 * @module
 */
import { createServer } from "node:http";

export interface PageServer {
  /** Where the page comes from, such as `http://127.0.0.1:40000`. */
  readonly origin: string;
  /** What the page has reported so far, oldest first. */
  // deno-lint-ignore no-explicit-any
  readonly reports: readonly any[];
  stop(): Promise<void>;
}

/** @param script The page's module. It finds the client in `/client.js`, and reports by a POST of JSON to `/report`. */
export async function servePage(client: string, script: () => string): Promise<PageServer> {
  const reports: unknown[] = [];
  const server = createServer((request, response) => {
    const send = (kind: string, text: string) => {
      response.writeHead(200, { "content-type": `text/${kind}; charset=utf-8` }).end(text);
    };
    if (request.url === "/") {
      return send("html", `<!doctype html><script type="module" src="/page.js"></script>`);
    }
    if (request.url === "/page.js") return send("javascript", script());
    if (request.url === "/client.js") return send("javascript", client);
    if (request.url !== "/report") return void response.writeHead(404).end();
    let text = "";
    request.setEncoding("utf8").on("data", (part: string) => void (text += part));
    request.on("end", () => {
      reports.push(JSON.parse(text));
      send("plain", "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    origin: `http://127.0.0.1:${port}`,
    reports,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
