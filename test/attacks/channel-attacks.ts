/**
 * Nobody hears of a channel that a token does not open, under whatever name.
 *
 * @module
 */
import { expect, it } from "vitest";
import { Attacker, each } from "./attacker.ts";
import type { Holder } from "./holders.ts";
import { spellings } from "./spellings.ts";
import type { Service, Target } from "./target.ts";

const AT_ONCE = 4;
/** Channels that are tried on one connection, by four frames each: not more than it may send at once. */
const ON_ONE_CONNECTION = 30;
const REFUSED = /^(FORBIDDEN|INVALID_CHANNEL|INVALID_DATA|DECODE_ERROR)$/;

interface Listener {
  readonly who: string;
  /** Whoever holds anything of the service may be in `global`. */
  readonly inGlobal: boolean;
  events(): { readonly event: string; readonly room: string | null }[];
}

export function channelAttacks(
  target: () => Target,
  holdersOf: (service: Service) => readonly Holder[],
): void {
  it("hold for every channel in every spelling, live and past, and nothing is heard", async () => {
    const failures: string[] = [];
    const listeners: Listener[] = [];
    let tried = 0;

    async function knock(service: Service, { name, accesses, attacker }: Holder): Promise<void> {
      const names = spellings(service.contract);
      const who = `${name} of ${service.name}`;
      const inGlobal = accesses.length > 0;
      for (let from = 0; from < names.length; from += ON_ONE_CONNECTION) {
        const client = await attacker.connect(service.websocket);
        for (const channel of names.slice(from, from + ON_ONE_CONNECTION)) {
          const isOpen = channel === "global" && inGlobal;
          const [one, two, ...reads] = await Promise.all([
            client.request("subscribe", { channel }),
            client.request("subscribe", { room: channel, last: 10 }, { type: "subscribe", room: "global" }),
            client.request("get_history", { channel, limit: 10 }),
            client.request("get_presence", { channel }),
          ]);
          for (const { error_code } of [...isOpen ? [] : [one, two], ...reads]) {
            tried++;
            if (!REFUSED.test(error_code)) failures.push(`${who}: ${JSON.stringify(channel)}: ${error_code}`);
          }
        }
        listeners.push({
          who,
          inGlobal,
          events: () => client.frames.filter(({ type }) => type === "event") as never,
        });
      }
    }

    async function knockByHttp({ name, contract, http }: Service, { attacker }: Holder): Promise<void> {
      for (const channel of spellings(contract)) {
        if (typeof channel !== "string" || !channel.isWellFormed()) continue;
        tried++;
        const { status } = await attacker.http(`${http}/api/channels/${encodeURIComponent(channel)}/events`);
        if (status < 400 || status >= 500) {
          failures.push(`stranger of ${name}, HTTP: ${JSON.stringify(channel)}: ${status}`);
        }
      }
      for (const kind of Object.keys(contract.channels)) {
        const { status } = await attacker.http(`${http}/api/channels?kind=${kind}`);
        if (status !== 403) failures.push(`stranger of ${name} lists ${kind}: ${status}`);
      }
    }

    await each(target().services, AT_ONCE, async (service) => {
      for (const holder of holdersOf(service)) {
        if (!holder.accesses.includes("read")) await knock(service, holder);
        if (holder.name === "stranger") await knockByHttp(service, holder);
      }
    });
    await somethingHappens(target());
    for (const { who, inGlobal, events } of listeners) {
      const heard = events().filter(({ room }) => room !== null && !(inGlobal && room === "global"));
      if (heard.length > 0) failures.push(`${who} heard ${JSON.stringify(heard[0]).slice(0, 200)}`);
    }
    expect(failures).toEqual([]);
    expect(tried).toBeGreaterThan(20_000);
  }, 120_000);
}

/** What members of the channels hear of; done when one of them has. */
async function somethingHappens(target: Target): Promise<void> {
  for (const [index, { name, http, websocket }] of target.services.entries()) {
    const operator = new Attacker(
      `127.0.30.${10 + index}`,
      await target.token("operator", [`${name}:admin`]),
    );
    const witness = await operator.connect(websocket);
    await witness.request("subscribe", { channel: "global" });
    const body = { event: "system.announcement", data: { message: "for members only" } };
    expect((await operator.http(`${http}/api/publish`, { method: "POST", body })).status).toBe(200);
    await witness.event("system.announcement", "global");
    await witness.close();
  }
  const buddy = target.service("session-buddy");
  const writer = new Attacker("127.0.30.3", await target.token("writer", ["session-buddy:admin"]));
  const witness = await writer.connect(buddy.websocket);
  await witness.request("subscribe", { channel: "session:x" });
  expect((await writer.ask(buddy, "start_session", { session_id: "x", project: "heard" })).status).toBe(200);
  await witness.event("session.created", "session:x");
  await witness.close();
}
