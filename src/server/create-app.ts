/**
 * The HTTP side of a server, as Hono apps: one for the port that serves HTTP and MCP, one for the WebSocket port.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { BodyCutShort, readUpTo } from "../limits/read-up-to.ts";
import { isJsonObject } from "../protocol/json-value.ts";
import { type JsonObject, parseJson } from "../protocol/json.ts";
import { traceFields } from "../protocol/traceparent.ts";
import { addChannelRoutes } from "./channel-routes.ts";
import type { AppHost } from "./host.ts";
import { answerRequest, notUp } from "./http-requests.ts";
import {
  countFurther,
  exemptFromLimits,
  expectPlainBody,
  holdToLimits,
  holdUserToRate,
} from "./http-limits.ts";
import { type CallerEnv, checkOrigin, identify, isUpgrade, refuse, requireIdentity } from "./identify.ts";
import { traceOf } from "./request-trace.ts";
import { addServiceRoutes } from "./service-routes.ts";

/** What every service answers, as whoever has lost the way is told. */
const SERVED = [
  "/health",
  "/ready",
  "/metrics",
  "/ws",
  "/mcp",
  "GET /api/status",
  "GET /api/channels",
  "GET /api/channels/{channel}/events",
  "POST /api/publish",
  "POST /api/requests/{name}",
];

/** Routes of the HTTP port; also what is mounted in somebody's own app. */
export function createHttpApp(host: AppHost): Hono<CallerEnv> {
  const app = baseApp(host);
  const api = new Hono<CallerEnv>();
  api.use(requireIdentity(host.settings.auth.required));
  addChannelRoutes(api, host);
  api.post("/publish", (context) => request(host, context, "publish"));
  api.post("/requests/:name", (context) => request(host, context, context.req.param("name")));
  app.route("/api", api);
  addServiceRoutes(app, host);
  app.use("/mcp", requireIdentity(host.settings.auth.required));
  app.all("/mcp", async (context) => {
    const { identity, expiresAt } = context.get("caller");
    const answer = await host.mcp().handle(context, identity, {
      address: host.address(context),
      expiresAt,
      countFurther: (messages) => countFurther(host, context, messages),
    });
    if (answer.status === 413) host.limits.reached("message_bytes");
    return answer;
  });
  app.get("/ws", (context) => {
    if (host.settings.websocket.enabled) {
      return host.runtime().upgrade(context, host.accept(context.get("caller")));
    }
    return refuse(
      context,
      "NOT_AVAILABLE",
      "WebSocket is switched off here: setting websocket.enabled is false",
    );
  });
  return app;
}

/** Routes of the WebSocket port: an upgrade on any path, and what health scripts ask for. */
export function createWebSocketApp(host: AppHost): Hono<CallerEnv> {
  const app = baseApp(host);
  app.get("*", (context) => host.runtime().upgrade(context, host.accept(context.get("caller"))));
  return app;
}

function baseApp(host: AppHost): Hono<CallerEnv> {
  const app = new Hono<CallerEnv>();
  app.on("GET", ["/health", "/ready"], exemptFromLimits());
  app.use(
    holdToLimits(host),
    checkOrigin(host),
    identify(host),
    holdUserToRate(host),
    expectPlainBody(),
  );
  app.get("/health", async (context, next) => {
    if (isUpgrade(context)) return await next();
    return context.json(host.health());
  });
  app.get("/ready", async (context, next) => {
    if (isUpgrade(context)) return await next();
    const { ready, body } = await host.readiness();
    return context.json(body, ready ? 200 : 503);
  });
  app.get("/metrics", requireIdentity(host.settings.auth.required), async (context, next) => {
    if (isUpgrade(context)) return await next();
    const { prometheus } = host;
    return context.body(await prometheus.text(), 200, { "Content-Type": prometheus.contentType });
  });
  const own = host.routes.map(({ method, path }) => `, ${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
  app.notFound((context) =>
    refuse(
      context,
      "NOT_FOUND",
      `Nothing at ${context.req.method} ${context.req.path}: there are ${SERVED.join(", ")}${own.join("")}`,
    )
  );
  app.onError((error, context) => {
    const { body, signal } = context.req.raw;
    // The others are uploads that a service's route has read by itself. The body may end before the signal comes.
    const { code } = error as { code?: unknown };
    if (error instanceof BodyCutShort || (body !== null && (signal.aborted || code === "ECONNRESET"))) {
      host.log.debug("A client ended before its request did", {
        path: context.req.path,
        said: error.message,
      });
      return refuse(context, "DECODE_ERROR", "The body did not come to its end");
    }
    const fault = crypto.randomUUID();
    const facts = { path: context.req.path, fault, ...traceFields(traceOf(context)), error };
    host.log.error("An HTTP request failed", facts);
    return refuse(context, "SERVER_ERROR", `Internal error: the log explains it under ${fault}`);
  });
  return app;
}

async function request(host: AppHost, context: Context<CallerEnv>, name: string): Promise<Response> {
  if (!host.open()) return notUp(context);
  const body = await readBody(context, host.settings.limits.message_bytes);
  if (!body.ok) {
    if (body.code === "MESSAGE_TOO_LARGE") host.limits.reached("message_bytes");
    return refuse(context, body.code, body.reason);
  }
  const idempotencyKey = context.req.header("idempotency-key") ?? null;
  return await answerRequest(host, context, { name, data: body.data, idempotencyKey });
}

type Body = { readonly ok: true; readonly data: JsonObject } | {
  readonly ok: false;
  readonly code: "DECODE_ERROR" | "MESSAGE_TOO_LARGE";
  readonly reason: string;
};

/** A body is a JSON object, as in a frame's `data`; none at all is an empty one. */
async function readBody(context: Context, maxBytes: number): Promise<Body> {
  const refused = (reason: string): Body => ({ ok: false, code: "DECODE_ERROR", reason });
  const tooLarge = (): Body => {
    // The rest of the body is in the way of a next request.
    context.header("Connection", "close");
    const reason = `The body is larger than ${maxBytes} bytes: send less at once`;
    return { ok: false, code: "MESSAGE_TOO_LARGE", reason };
  };
  if (Number(context.req.header("content-length")) > maxBytes) return tooLarge();
  // hono/body-limit makes a Request of this one, which Node's cannot be where no length is given.
  const bytes = await readUpTo(context.req.raw.body, maxBytes);
  if (bytes === null) return tooLarge();
  if (bytes.byteLength === 0) return { ok: true, data: {} };
  const type = context.req.header("content-type");
  if (type === undefined || !/^application\/(json|[\w.-]+\+json)\b/i.test(type)) {
    return refused(`Expected Content-Type: application/json, got '${type?.slice(0, 80) ?? "none"}'`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refused("The body is not UTF-8");
  }
  const parsed = parseJson(text);
  if (!parsed.ok) return refused(`The body is not JSON: ${parsed.reason}`);
  if (!isJsonObject(parsed.value)) return refused("The body must be a JSON object");
  return { ok: true, data: parsed.value };
}
