/**
 * What a web page can do to a service on the same machine, as scripts that report each attempt.
 *
 * @module
 */

export interface Addresses {
  readonly http: string;
  readonly websocket: string;
}

/** What a page reports, and where to: how an attempt went. `over` comes last. */
const reporting = (to: string) => `
  let told = Promise.resolve();
  const report = (what) =>
    told = told.then(() => fetch("${to}/report", { method: "POST", mode: "no-cors", body: JSON.stringify(what) }));
  const attempt = async (name, work) => {
    try {
      await report({ attempt: name, got: await work() });
    } catch (error) {
      await report({ attempt: name, got: "refused" });
    }
  };
  const socket = (url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => socket.send(JSON.stringify({
      type: "request", id: "1", event: "start_session", data: { project: "by a page" },
    }));
    socket.onmessage = ({ data }) => resolve(data);
    socket.onclose = () => resolve("refused");
  });
`;

const START = `JSON.stringify({ project: "by a page" })`;
const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "start_session", arguments: { project: "by a page" } },
});

/**
 * A page from elsewhere. Requests that a page may send to anybody without asking are sent; whatever comes is opaque.
 *
 * @param reports Origin of the server that it reports to.
 */
export function foreignPage({ http, websocket }: Addresses, reports: string): string {
  return `${reporting(reports)}
    const http = ${JSON.stringify(http)};
    const websocket = ${JSON.stringify(websocket)};
    const start = http + "/api/requests/start_session";
    const plain = { method: "POST", mode: "no-cors", body: ${START} };
    await attempt("POST of text", async () => (await fetch(start, plain)).type);
    await attempt("POST of a blob as JSON", async () =>
      (await fetch(start, { ...plain, body: new Blob([${START}], { type: "application/json" }) })).type);
    await attempt("POST of JSON", async () =>
      (await fetch(start, { method: "POST", headers: { "content-type": "application/json" }, body: ${START} })).status);
    await attempt("POST with a cookie", async () => (await fetch(start, { ...plain, credentials: "include" })).type);
    await attempt("beacon", async () => navigator.sendBeacon(start, ${START}));
    await attempt("MCP", async () => (await fetch(http + "/mcp", { ...plain, body: ${
    JSON.stringify(INITIALIZE)
  } })).type);
    await attempt("GET", async () => (await fetch(http + "/api/status")).status);
    await attempt("GET, opaque", async () => (await fetch(http + "/api/status", { mode: "no-cors" })).type);
    await attempt("PUT", async () => (await fetch(start, { method: "PUT", body: ${START} })).status);
    await attempt("image", () => new Promise((resolve, reject) => {
      const image = new Image();
      image.onload = resolve;
      image.onerror = reject;
      image.src = http + "/api/status";
    }));
    await attempt("event stream", () => new Promise((resolve, reject) => {
      const source = new EventSource(http + "/mcp");
      source.onopen = () => resolve("open");
      source.onerror = () => { source.close(); reject(); };
    }));
    for (const url of [websocket, websocket + "/ws", http.replace("http", "ws") + "/ws"]) {
      await attempt("WebSocket " + new URL(url).pathname, () => socket(url));
    }
    const form = document.createElement("form");
    const frame = document.createElement("iframe");
    frame.name = "target";
    form.target = "target";
    form.method = "POST";
    form.enctype = "text/plain";
    form.action = start;
    const field = document.createElement("input");
    field.name = '{"project":"by a page","user":"';
    field.value = '"}';
    form.append(field);
    document.body.append(frame, form);
    await attempt("form", () => new Promise((resolve) => {
      frame.onload = () => resolve("loaded");
      form.submit();
    }));
    // Pages whose origin is hidden: their origin is "null".
    const hidden = "<script type=module>" + ${JSON.stringify(HIDDEN)}
      .replace("HTTP", JSON.stringify(http)).replace("WEBSOCKET", JSON.stringify(websocket)) + "</" + "script>";
    for (const [name, set] of Object.entries({
      "sandbox": (frame) => { frame.sandbox = "allow-scripts"; frame.srcdoc = hidden; },
      "data URL": (frame) => { frame.src = "data:text/html," + encodeURIComponent(hidden); },
    })) {
      await attempt(name, () => new Promise((resolve) => {
        const frame = document.createElement("iframe");
        addEventListener("message", ({ data }) => resolve(data), { once: true });
        set(frame);
        document.body.append(frame);
      }));
    }
    await report({ over: true });
  `;
}

const HIDDEN = `
  const results = [];
  const socket = new WebSocket(WEBSOCKET);
  results.push(await new Promise((resolve) => {
    socket.onopen = () => resolve("open");
    socket.onclose = () => resolve("refused");
  }));
  await fetch(HTTP + "/api/requests/start_session", { method: "POST", mode: "no-cors", body: '{"project":"by a page"}' })
    .then(({ type }) => results.push(type), () => results.push("refused"));
  parent.postMessage(results.join(" "), "*");
`;

/** A page under a name that has come to mean this machine: to the browser it is of the same origin as the service. */
export function reboundPage({ websocket }: Addresses, reports: string): string {
  const port = new URL(websocket).port;
  return `${reporting(reports)}
    const json = { method: "POST", headers: { "content-type": "application/json", accept: "*/*" } };
    const status = async (path, options) => {
      const answer = await fetch(path, options);
      return answer.status + " " + (await answer.text()).slice(0, 300);
    };
    await attempt("GET", () => status("/api/status"));
    await attempt("health", () => status("/health"));
    await attempt("metrics", () => status("/metrics"));
    await attempt("POST", () => status("/api/requests/start_session", { ...json, body: ${START} }));
    await attempt("MCP", () => status("/mcp", { ...json, body: ${JSON.stringify(INITIALIZE)} }));
    await attempt("event stream", () => status("/mcp", { headers: { accept: "text/event-stream" } }));
    await attempt("WebSocket", () => socket("ws://" + location.host + "/ws"));
    await attempt("WebSocket port", () => socket("ws://" + location.hostname + ":${port}/"));
    await report({ over: true });
  `;
}

/** A page that is allowed. */
export function welcomePage({ websocket }: Addresses, reports: string): string {
  return `${reporting(reports)}
    await attempt("WebSocket", () => socket(${JSON.stringify(websocket)}));
    await report({ over: true });
  `;
}
