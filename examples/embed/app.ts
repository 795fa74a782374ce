/**
 * An app that exists already, with a page and a route of its own, and session-buddy mounted in it at `/live`. Nothing
 * here knows which runtime it is on: `node.ts`, `deno.ts` and `bun.ts` serve it, each with the server of its runtime.
 *
 * In a project of your own the imports are from "mcp-realtime" and "mcp-realtime/services/session-buddy".
 *
 * @module
 */
import { Hono } from "hono";
import { createRealtime, type Runtime } from "../../mod.ts";
import { sessionBuddyService, type SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { PAGE } from "./page.ts";

/** What an operator decides, from the environment. */
export interface Place {
  readonly port: number;
  /** Where browsers find the page. Behind a proxy this is the proxy's: `https://app.example.org`. */
  readonly origin: string;
  /** Database file of session-buddy. */
  readonly storage: string;
}

/** Read `PORT` (default 3000), `ORIGIN` (default the app's own on this machine) and `STORAGE`. */
export function placeOf(environment: Runtime["environment"]): Place {
  const port = Number(environment.PORT ?? 3000);
  return {
    port,
    origin: environment.ORIGIN ?? `http://127.0.0.1:${port}`,
    storage: environment.STORAGE ?? "data/embed.db",
  };
}

/** The app, ready to be served. Before it ends, `live.stop()` must have been called. */
export async function createApp(
  runtime: Runtime,
  { origin, storage }: Place,
): Promise<{ app: Hono; live: SessionBuddyWebSocketServer }> {
  const live = await createRealtime(sessionBuddyService, {
    runtime,
    settings: {
      // Any page on the web can try to reach this server: besides pages of this very address, they are let in by name.
      origins: { allowed: [origin] },
      // The names by which clients call this server, besides those of this machine.
      hosts: { allowed: [new URL(origin).host] },
      storage: { path: storage },
    },
  });

  const app = new Hono();
  app.get("/", (context) => context.html(PAGE));
  app.post("/announce/:message", (context) => {
    // Typed by the contract: another name or other data would not compile.
    live.publish("system.announcement", { message: context.req.param("message"), source: "app" });
    return context.json({ listeners: live.rooms.get("global")?.size ?? 0 });
  });
  app.route("/live", live.app);
  return { app, live };
}
