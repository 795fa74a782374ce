/**
 * Who serves: the process that has the service's ports already, or this one. Whoever opens the ports first serves, all
 * others go to it.
 *
 * @module
 */
import { DatabaseError } from "../../ports/database.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import { ListenError, type Runtime } from "../../ports/runtime.ts";
import { isJsonObject } from "../../protocol/json-value.ts";
import { parseJson } from "../../protocol/json.ts";
import type { Contract } from "../../protocol/contract.ts";
import type { RealtimeServer } from "../../server/realtime-server.ts";
import { type Running, startServices } from "../../server/run.ts";
import type { Service } from "../../service/define-service.ts";
import type { Settings } from "../../settings/schema.ts";
import { quoted } from "../../settings/settings-error.ts";
import { originOf } from "../address.ts";
import { type Ask, askByTls, askPlainly, isDistrust, isRefused, said } from "./ask.ts";
import { pause } from "../pause.ts";

/** Where the service is to be had. */
export interface Place {
  /** Of its endpoint `/mcp`. */
  readonly url: string;
  readonly ask: Ask;
  /** It is this process that serves. */
  readonly isOwn: boolean;
}

/** Nothing can be served or reached. The message is a sentence for a person. */
export class PlaceError extends Error {
  override readonly name = "PlaceError";
}

export interface PlaceParts {
  readonly service: Service;
  readonly settings: Settings;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Log;
  /** This process serves from now on. */
  readonly serving: (server: RealtimeServer<Contract>) => void;
}

/** Another process may have the ports or the database and not answer yet, or stop just now. */
const SETTLE_MS = 20_000;
const LOOK_MS = 3_000;
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [50, 500];

/** What answers at a port. */
type Found = "service" | "nobody" | {
  /** It may become the service, or go. */
  readonly mayChange: boolean;
  readonly reason: string;
  readonly advice?: string;
};

export class Places {
  readonly #parts: PlaceParts;
  readonly #ask: Ask;
  readonly #http: string;
  #running: Running | null = null;
  #starting: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(parts: PlaceParts) {
    this.#parts = parts;
    const { http, tls } = parts.settings;
    this.#ask = tls.enabled ? askByTls(parts.runtime.files, tls.cert_file) : askPlainly;
    this.#http = originOf("http", http, tls);
  }

  /**
   * The service: where it runs, or else served from here on.
   *
   * @throws {PlaceError} where something else has its port, or nobody answers who should.
   * @throws whatever keeps it from being served here: `ListenError`, `DatabaseError`, `CertificateError`, `SettingsError`.
   */
  async find(): Promise<Place> {
    const { clock } = this.#parts;
    const { port } = this.#parts.settings.http;
    const late = clock.monotonic() + SETTLE_MS;
    let waitMs = FIRST_PAUSE_MS;
    for (;;) {
      if (this.#running) return this.#ownPlace(this.#running.servers[0]!);
      // No port is agreed on where the system chooses one.
      const found = port === 0 ? "nobody" : await this.#look(this.#http);
      if (this.#closed) throw new PlaceError("Cannot begin to serve: this process ends");
      if (found === "service") return { url: `${this.#http}/mcp`, ask: this.#ask, isOwn: false };
      let reason: Error;
      if (found === "nobody") {
        const failure = await this.#serve();
        if (failure === null) continue;
        if (!isInUse(failure) || port === 0 || await this.#isForeign(failure)) throw failure;
        reason = failure;
      } else {
        reason = this.#refusal(found);
        if (!found.mayChange) throw reason;
      }
      if (clock.monotonic() >= late) throw this.#explained(reason);
      await pause(clock, waitMs * (0.5 + Math.random()));
      waitMs = Math.min(2 * waitMs, LONGEST_PAUSE_MS);
    }
  }

  /** Stop what this process serves. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#starting;
    const running = this.#running;
    this.#running = null;
    await running?.stop();
  }

  /** @returns why not. */
  async #serve(): Promise<Error | null> {
    const { service, settings, runtime, serving } = this.#parts;
    const start = startServices([{ service, settings }], { runtime }).then((running) => {
      this.#running = running;
      serving(running.servers[0]!);
      return null;
    }, (error: Error) => error);
    this.#starting = start;
    return await start;
  }

  /** Through no port, so that nothing has to be trusted, and nobody else can be taken for it. */
  #ownPlace(server: RealtimeServer<Contract>): Place {
    const { http: { host }, tls } = this.#parts.settings;
    return {
      url: `${originOf("http", { host, port: server.httpPort }, tls)}/mcp`,
      ask: async (url, question) => await server.app.fetch(new Request(url, question)),
      isOwn: true,
    };
  }

  async #look(origin: string): Promise<Found> {
    const { service, clock } = this.#parts;
    const controller = new AbortController();
    const cancel = clock.after(LOOK_MS, () => controller.abort());
    try {
      const answer = await this.#ask(`${origin}/health`, { method: "GET", signal: controller.signal });
      const text = await answer.text();
      // It may be ours and have too much to do.
      if (answer.status === 429 || answer.status === 503) return unclear("what has the port is busy");
      const parsed = parseJson(text);
      const name = parsed.ok && isJsonObject(parsed.value) ? parsed.value.server : undefined;
      if (name === service.contract.name) return "service";
      const answering = typeof name === "string" ? quoted(name) : "something else";
      return { mayChange: false, reason: `${answering} answers there` };
    } catch (error) {
      if (isRefused(error)) return "nobody";
      if (controller.signal.aborted) {
        return unclear(`what has the port has not answered for ${LOOK_MS / 1_000} seconds`);
      }
      if (isDistrust(error)) return this.#distrusted(said(error));
      if (this.#parts.settings.tls.verify_client) {
        const reason = `it wants a certificate of its clients (${said(error)})`;
        return { mayChange: false, reason, advice: "end it, so that this process can serve by itself" };
      }
      return unclear(`what has the port does not answer as a service does (${said(error)})`);
    } finally {
      cancel();
    }
  }

  #refusal({ reason, advice }: Exclude<Found, string>): PlaceError {
    const { name } = this.#parts.service.contract;
    const standard = `stop it, or choose another port (setting http.port of ${name}, or flag --http-port)`;
    return new PlaceError(`Cannot reach ${name} at ${this.#http}: ${reason}; ${advice ?? standard}`);
  }

  #distrusted(reason: string): Found {
    const { tls } = this.#parts.settings;
    const kept = tls.cert_file === undefined
      ? "keep its certificate in files (tls.cert_file and tls.key_file)"
      : "name its certificate in tls.cert_file";
    const variable = this.#parts.runtime.name === "deno" ? "DENO_CERT" : "NODE_EXTRA_CA_CERTS";
    return {
      mayChange: false,
      reason: `its certificate is not trusted (${reason})`,
      advice: `${kept}, or name the certificate of whoever issued it in ${variable}`,
    };
  }

  /** Whether a port that cannot be opened is held by something that will never be the service. */
  async #isForeign(failure: Error): Promise<boolean> {
    const { websocket, tls } = this.#parts.settings;
    if (!(failure instanceof ListenError) || !websocket.enabled || websocket.port === 0) return false;
    const found = await this.#look(originOf("http", websocket, tls));
    return typeof found === "object" && !found.mayChange;
  }

  #explained(reason: Error): Error {
    if (!(reason instanceof DatabaseError)) return reason;
    return new DatabaseError(
      `${reason.message}; where it runs on another port, name that (setting http.port, or flag --http-port)`,
      { cause: reason },
    );
  }
}

function unclear(reason: string): Found {
  return { mayChange: true, reason };
}

/** Somebody else has the port or the database, perhaps only for a moment. */
function isInUse(error: Error): boolean {
  if (!(error instanceof ListenError) && !(error instanceof DatabaseError)) return false;
  return /another (program|process) uses/.test(error.message);
}
