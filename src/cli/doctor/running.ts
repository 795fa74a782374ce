/**
 * A service that runs: whether it is ready, is of this version, has the same time, and lets in whom the settings name.
 *
 * @module
 */
import { VERSION } from "../../protocol/version.ts";
import { originOf } from "../address.ts";
import { type Credentials, credentialsFor } from "../mcp/credentials.ts";
import { ANSWER_MS, getJson } from "../reach/get-json.ts";
import { plainText } from "../terminal/plain-text.ts";
import { fail, type Findings, ok, warn } from "./finding.ts";
import { knock } from "./knock.ts";
import { serverVersion } from "./server-version.ts";
import type { Presence, Subject } from "./subject.ts";

/** Clocks that differ by more make tokens fail and times mislead. */
const SKEW_MS = 2_000;

export async function* examineRunning(subject: Subject, { health, isDatabaseTaken }: Presence): Findings {
  const { name, isNamed } = subject;
  const check = "server.reachable";
  if (health === null) {
    const message = `${name} does not run${isDatabaseTaken ? " on its ports" : ""}`;
    const advice = isDatabaseTaken
      ? "see to its database first: another process has it"
      : `start it: mcp-realtime serve ${name}`;
    return yield isNamed ? warn(check, message, advice) : ok(check, message);
  }
  const { http, tls } = subject.settings;
  const url = originOf("http", http, tls);
  yield ok(check, `${name} runs at ${url}`);
  yield* examineClock(subject, url);
  yield* examineReadiness(subject, url);
  yield* examineVersion(subject, url);
  yield* examineDoors(subject, url);
}

async function* examineClock({ ask, clock }: Subject, url: string): Findings {
  const check = "server.clock";
  const before = clock.now();
  const health = await getJson(ask, `${url}/health`, { clock }).catch(() => null);
  const after = clock.now();
  const told = Date.parse(String(health?.body["timestamp"]));
  if (Number.isNaN(told)) return;
  // It was told some time between the two.
  const skew = told < before ? told - before : told > after ? told - after : 0;
  if (Math.abs(skew) <= SKEW_MS) return yield ok(check, "Its clock and that of this machine agree");
  yield warn(
    check,
    `Its clock is ${Math.round(Math.abs(skew) / 1_000)} seconds ${
      skew > 0 ? "ahead of" : "behind"
    } this machine's`,
    "set both clocks by the network (NTP): tokens are refused where clocks differ",
  );
}

async function* examineReadiness({ ask, clock }: Subject, url: string): Findings {
  const check = "server.ready";
  try {
    const { status, body } = await getJson(ask, `${url}/ready`, { clock });
    if (status === 200) return yield ok(check, "An event gets through to those who listen");
    const told = body["reason"];
    yield fail(
      check,
      `It is not ready${typeof told === "string" ? `: ${plainText(told)}` : ` (HTTP ${status})`}`,
      "look at its log, and start it again",
    );
  } catch {
    yield fail(
      check,
      `It has not said within ${ANSWER_MS / 1_000} seconds whether it is ready`,
      "look at its log",
    );
  }
}

async function* examineVersion({ ask, settings, name, token, clock }: Subject, url: string): Findings {
  const check = "server.version";
  const credentials: Credentials = credentialsFor({
    service: name,
    auth: settings.auth,
    token: token === undefined ? undefined : () => Promise.resolve(token),
    clock,
  });
  const found = await serverVersion(ask, `${url}/mcp`, await credentials.headers());
  if (found.ok && found.version === VERSION) return yield ok(check, `It is of this version, ${VERSION}`);
  if (found.ok) {
    return yield warn(
      check,
      `It is of version ${plainText(found.version)}, and this is ${VERSION}`,
      "start it again with this version, or use the command line of that one",
    );
  }
  yield warn(check, `Its version cannot be told: ${plainText(found.reason)}`, credentials.advice);
}

/** What comes of a request by its Host and its Origin, which the settings allow or do not. */
async function* examineDoors({ settings }: Subject, url: string): Findings {
  const { origins, hosts } = settings;
  const told = "it runs with other settings than these: start it again";
  if (origins.allowed.includes("*")) {
    yield warn(
      "server.origins",
      "Every web page may connect: origins.allowed holds *",
      "name the pages that are to connect, like https://dashboard.example.org",
    );
  } else if (await knock(url, { origin: "https://stranger.invalid" }) !== 403) {
    yield fail("server.origins", "It lets in a web page of a strange origin", told);
  } else yield ok("server.origins", "It refuses web pages of strange origins");
  for (const origin of origins.allowed.filter((origin) => origin !== "*")) {
    if (await knock(url, { origin }) !== 403) continue;
    yield fail(
      "server.origins",
      `It refuses pages of ${plainText(origin)}, which origins.allowed holds`,
      told,
    );
  }
  for (const host of hosts.allowed.filter((host) => host !== "*")) {
    if (await knock(url, { host }) !== 403) continue;
    yield fail("server.hosts", `It refuses requests to ${plainText(host)}, which hosts.allowed holds`, told);
  }
}
