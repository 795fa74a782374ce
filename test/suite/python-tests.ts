/**
 * The same conversation held by two Python clients, as real processes: one that reads frame by frame, and one with the
 * habits of the client that existing programs use. What they say and expect stands in `test/python`.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createToken } from "../../src/auth/token.ts";
import { systemClock } from "../../src/ports/clock.ts";
import { startPython } from "../support/python-program.ts";
import { pythonPath, requireOrSkip } from "../support/require.ts";
import { type RunningService, startService } from "./running-service.ts";
import type { ServiceDescription } from "./service-description.ts";

const SECRET = "a secret of this suite and nothing else";
const hasPython = requireOrSkip(
  "Python with the packages websockets and pydantic",
  pythonPath() !== undefined,
  "python3 -m venv .venv && .venv/bin/pip install websockets pydantic",
);

async function makeTokens(service: string): Promise<Record<string, string>> {
  const token = (permissions: string[], secret = SECRET, expiresInSeconds = 600) =>
    createToken({ secret, userId: "ada", permissions, expiresInSeconds, clock: systemClock });
  const all = [`${service}:read`, `${service}:write`];
  return {
    all: await token(all),
    reader: await token([`${service}:read`]),
    stranger: await token(["another-service:read"]),
    forged: await token(all, "another secret"),
    expired: await token(all, SECRET, -60),
  };
}

export function pythonTests(service: ServiceDescription): void {
  describe.runIf(hasPython)("Python clients", () => {
    let open: RunningService;
    let guarded: RunningService;
    let tokens: Record<string, string>;
    // No event is made twice, so that each test knows its own.
    let used = 100;

    const facts = (url: string) => {
      const triggers = [0, 1, 2].map(() => {
        const n = used++;
        return { ...service.trigger(n), shows: service.shows(n) };
      });
      const { name: server, welcome, channel, event } = service;
      return { url, server, welcome, channel, event, triggers, tokens };
    };
    const play = async (file: string, part: string, url: string) => {
      const python = startPython(file, [part], facts(url));
      expect(await python.ended, python.stderr()).toBe(0);
      expect(python.lines.at(-1)).toBe("done");
    };

    beforeAll(async () => {
      tokens = await makeTokens(service.name);
      open = await startService(service);
      guarded = await startService(service, { auth: { required: true, secret: SECRET } });
      for (const request of service.prepare) {
        await open.request(request);
        await guarded.request(request, { authorization: `Bearer ${tokens.all}` });
      }
    });
    afterAll(() => Promise.all([open.stop(), guarded.stop()]));

    for (const client of ["raw", "reconnecting"]) {
      const file = `${client}_conversation.py`;

      it(`the ${client} client is greeted, subscribes, asks, hears events, errs, pings and leaves`, async () => {
        await play(file, "talk", open.url);
      });

      it(`the ${client} client is told in the known words whether its token is good`, async () => {
        await play(file, "auth", guarded.url);
      });

      it(`the ${client} client finds its channel again after a restart on the same port`, async () => {
        const script = facts(open.url);
        const python = startPython(file, ["restart"], script);
        await python.line((line) => line === "subscribed");
        await open.restart();
        // With nobody there to read it; the other client may have come back by itself already.
        if (client === "raw") await open.request(script.triggers[1]!);
        python.write("restarted");
        if (client === "reconnecting") {
          await python.line((line) => line === "back");
          await open.request(script.triggers[2]!);
        }
        expect(await python.ended, python.stderr()).toBe(0);
      });
    }

    it("the reconnecting client stays, with a bad token too, where authentication is not required", async () => {
      const lenient = await startService(service, { auth: { required: false, secret: SECRET } });
      try {
        for (const request of service.prepare) await lenient.request(request);
        await play("reconnecting_conversation.py", "optional", lenient.url);
      } finally {
        await lenient.stop();
      }
    });

    it("no conversation has left a warning or an error in the log", () => {
      for (const { log } of [open, guarded]) {
        expect(log.filter((line) => / (WARN|ERROR) /.test(line))).toEqual([]);
      }
    });
  });
}
