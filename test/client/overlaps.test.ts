/**
 * A client with `doc:*` and many `doc:…` at once, over real connections that are cut again and again, while its
 * subscriptions are closed and opened: OVERLAPS_CUTS of them (40 unless told), by OVERLAPS_SEED (another one each time).
 *
 *     OVERLAPS_SEED=7 OVERLAPS_CUTS=1000 npx vitest run test/client/overlaps.test.ts
 *
 * @module
 */
import { afterEach, expect, it } from "vitest";
import type { SubscribeOptions } from "../../src/client/mod.ts";
import { untilSo } from "../delivery/real-time.ts";
import { SeededRandom } from "../fuzz/seeded-random.ts";
import { faultsOf } from "./judge-stay.ts";
import { KEPT, OverlapWorld } from "./overlap-world.ts";

const CUTS = Number(process.env.OVERLAPS_CUTS ?? 40);
const SEED = Number(process.env.OVERLAPS_SEED ?? Math.floor(Math.random() * 2 ** 31));
const TIMEOUT_MS = 60_000 + CUTS * 2_000;

const DOCS = Array.from({ length: 6 }, (_, index) => `d${index}`);
const WILDCARD = "doc:*";
const NAMES = [WILDCARD, ...DOCS.map((doc) => `doc:${doc}`)];

let world: OverlapWorld | undefined;
afterEach(() => world?.close());

it(
  "overlapping subscriptions bring all in order or tell what is lost, over connections that are cut",
  async () => {
    console.log(`overlaps: seed ${SEED}`);
    const random = new SeededRandom(SEED);
    world = await OverlapWorld.open(() => random.next());
    const { stays, line, said } = world;
    for (const name of NAMES.slice(0, -2)) stays.begin(name);
    for (let cut = 0; cut < CUTS; cut++) await loseConnection(world, random);
    await seal(world);
    const finished = await stays.finish();

    // The witness has heard it all, once.
    expect(said.map(({ seq }) => seq)).toEqual(
      Array.from({ length: world.published }, (_, index) => index + 1),
    );
    expect(finished.flatMap((stay) => faultsOf(stay, said, KEPT))).toEqual([]);
    const count = (type: string) =>
      finished.reduce((sum, { items }) => sum + items.filter((item) => item.type === type).length, 0);
    console.log(
      `overlaps: ${line.cuts} cuts, ${world.published} events, ${finished.length} stays: ` +
        `${count("event")} events and ${count("gap")} gaps heard`,
    );
    expect(line.cuts).toBe(CUTS);
    for (const type of ["event", "gap"]) expect(count(type), type).toBeGreaterThan(CUTS / 4);
  },
  TIMEOUT_MS,
);

/** The client comes back, is cut off after some messages, and misses something. */
async function loseConnection(world: OverlapWorld, random: SeededRandom): Promise<void> {
  const { line, client } = world;
  const { cuts } = line;
  await world.until(() => client.state === "open");
  // Some of them while it still subscribes.
  line.cutAfter(1 + random.below(random.chance(0.25) ? 3 * NAMES.length : 600));
  while (line.cuts === cuts) await happen(world, random);
  const missed = random.pick([0, 1, 20]);
  for (let left = random.below(missed + 1); left > 0; left--) await happen(world, random);
}

/** Some events, and perhaps a subscription ends, or begins. */
async function happen(world: OverlapWorld, random: SeededRandom): Promise<void> {
  // Where some channels have more than others, those lose what the others still have.
  const docs = random.chance(0.5) ? DOCS : [random.pick(DOCS), random.pick(DOCS)];
  for (let left = 1 + random.below(30); left > 0; left--) {
    world.publish(random.pick(docs));
    if (random.chance(0.5)) await nextTurn();
  }
  if (random.chance(0.5)) await world.roundTrip();
  if (random.chance(0.3)) await change(world, random);
}

async function change(world: OverlapWorld, random: SeededRandom): Promise<void> {
  const { stays } = world;
  const name = random.pick([WILDCARD, ...NAMES]);
  const isOpen = stays.isOpen(name);
  if (isOpen) stays.end(name);
  // One is left, so that something comes that can be cut.
  if (isOpen && stays.open.length > 0 && random.chance(0.2)) return;
  const since = stays.position(name);
  stays.begin(
    name,
    random.pick<SubscribeOptions>([{}, { last: 1 + random.below(30) }, since ? { since } : {}]),
  );
  if (random.chance(0.5)) return;
  // It ends while the client still joins it: those that it shares channels with leave and come back after it.
  await world.roundTrip();
  for (let left = random.below(30); left > 0; left--) await nextTurn();
  stays.end(name);
}

/** A last event for each channel, and time for it to come. */
async function seal(world: OverlapWorld): Promise<void> {
  const { stays, said } = world;
  for (const doc of DOCS) world.publish(doc);
  await world.until(() => said.length === world.published);
  const seals = said.slice(-DOCS.length);
  await untilSo(() => stays.have(seals));
}

/** Other work goes on between two events. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
