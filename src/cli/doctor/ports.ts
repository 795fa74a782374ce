/**
 * The ports of a service: free, its own already, or somebody else's.
 *
 * @module
 */
import { createServer } from "node:net";
import { originOf } from "../address.ts";
import { isDistrust, isRefused, said } from "../mcp/ask.ts";
import { ANSWER_MS, getJson, NoAnswer } from "../reach/get-json.ts";
import { plainText } from "../terminal/plain-text.ts";
import { fail, type Finding, type Findings, ok, warn } from "./finding.ts";
import { portHolder } from "./port-holder.ts";
import type { Presence, Subject } from "./subject.ts";

type Block = "websocket" | "http";
const FLAGS: Readonly<Record<Block, string>> = { websocket: "--port", http: "--http-port" };

/** @param presence Is told whether the service runs. */
export async function* examinePorts(subject: Subject, presence: Presence): Findings {
  const { settings, name } = subject;
  for (const block of ["websocket", "http"] as const) {
    const check = `ports.${block}`;
    const { host, port } = settings[block];
    if (block === "websocket" && !settings.websocket.enabled) {
      yield ok(check, "There is no WebSocket port: setting websocket.enabled is false");
    } else if (port === 0) {
      yield ok(check, `The system chooses the port (${block}.port is 0)`);
    } else {
      const where = `Port ${port} on ${host}`;
      const found = await look(subject, block);
      if (found.is === "nobody") yield await freeOrNot(check, block, subject);
      else if (found.is === "service" && found.health["server"] === name) {
        if (block === "http") presence.health = found.health;
        yield ok(check, `${where} belongs to ${name}, which runs`);
      } else if (found.is === "busy") {
        yield warn(check, `${where} answers, but has too much to do`, "look at its log, and try again later");
      } else {
        const holder = await portHolder(port);
        const reason = found.is === "service" ? `${quotedName(found.health)} answers there` : found.reason;
        yield fail(
          check,
          `${where} is held by another program${holder === null ? "" : `, ${plainText(holder)}`}: ${reason}`,
          `stop that, or choose another port (setting ${block}.port of ${name}, or flag ${FLAGS[block]})`,
        );
      }
    }
  }
}

function quotedName(health: Readonly<Record<string, unknown>>): string {
  return plainText(JSON.stringify(String(health["server"]).slice(0, 60)));
}

type Found =
  | { readonly is: "nobody" }
  | { readonly is: "busy" }
  | { readonly is: "service"; readonly health: Readonly<Record<string, unknown>> }
  | { readonly is: "stranger"; readonly reason: string };

async function look({ settings, ask, clock }: Subject, block: Block): Promise<Found> {
  const url = `${originOf("http", settings[block], settings.tls)}/health`;
  const stranger = (reason: string): Found => ({ is: "stranger", reason });
  try {
    const { status, body } = await getJson(ask, url, { clock });
    if (status === 429 || status === 503) return { is: "busy" };
    if (typeof body["server"] === "string") return { is: "service", health: body };
    return stranger(`it answers HTTP ${status}, and not as a service does`);
  } catch (error) {
    if (isRefused(error)) return { is: "nobody" };
    if (error instanceof NoAnswer) return stranger(`it has not answered for ${ANSWER_MS / 1_000} seconds`);
    if (isDistrust(error)) return stranger(`its certificate is not the one of the settings (${said(error)})`);
    const expected = settings.tls.enabled ? "HTTPS" : "HTTP";
    return stranger(`it does not speak ${expected}${settings.tls.enabled ? ", as the settings say" : ""}`);
  }
}

const FAULTS: Readonly<Record<string, readonly [reason: string, advice: string]>> = {
  EACCES: ["this user may not open it", "choose a port from 1024 on, or run it as a user who may"],
  EADDRINUSE: ["it is in use", "stop the other program, or choose another port"],
  EADDRNOTAVAIL: ["this machine has no such address", "correct the host in the settings"],
  ENOTFOUND: ["no address is known for this name", "correct the host in the settings"],
};

/** Opened for a moment and closed again: nothing else tells whether it could be. */
async function freeOrNot(check: string, block: Block, { settings, name }: Subject): Promise<Finding> {
  const { host, port } = settings[block];
  const server = createServer();
  const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    server.once("error", resolve);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
  if (error === null) return ok(check, `Port ${port} on ${host} is free`);
  const [reason, advice] = FAULTS[error.code ?? ""] ?? [error.message, "choose another host or port"];
  return fail(
    check,
    `Port ${port} on ${host} cannot be opened: ${reason}`,
    `${advice} (${block} of ${name})`,
  );
}
