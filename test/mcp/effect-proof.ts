/**
 * Proves of a running manager what its contract says of a request's effect: that one which reads changes nothing, and
 * that the same one again changes something more exactly where the contract does not call it idempotent.
 *
 * @module
 */
import { expect } from "vitest";
import type { Contract, RequestSpec } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager } from "../../src/service/define-service.ts";
import type { Started } from "../support/started-manager.ts";

export interface ProofOptions {
  /** Wait until what was asked for has come to rest, and let the clock go on. */
  readonly rest: () => void | Promise<void>;
  /** Columns that nobody is shown, by table: they say only when something was touched last. */
  readonly hidden?: Readonly<Record<string, readonly string[]>>;
}

type Managed = Pick<Started<Contract, Manager>, "manager" | "database" | "told"> & {
  request(name: string, data: Record<string, unknown>): Promise<unknown>;
};

export class EffectProof {
  readonly #contract: Contract;
  readonly #started: Managed;
  readonly #options: ProofOptions;
  readonly #proved = new Set<string>();

  /** @param started A started manager of any service. */
  constructor(contract: Contract, started: object, options: ProofOptions) {
    this.#contract = contract;
    this.#started = started as Managed;
    this.#options = options;
  }

  /** Send a request that succeeds, and where it may have an effect once more. Gives the first answer. */
  // deno-lint-ignore no-explicit-any
  async of(name: string, data: JsonObject = {}): Promise<any> {
    this.#proved.add(name);
    const requests: Readonly<Record<string, RequestSpec>> = this.#contract.requests;
    const { access, effect } = requests[name]!;
    await this.#options.rest();
    this.#started.told();
    const before = await this.#state();
    const answer = await this.#started.request(name, data);
    if (access === "read" && effect === undefined) {
      expect(await this.#state(), `${name}, which reads, has changed something`).toEqual(before);
      await this.#options.rest();
      expect(this.#started.told(), `${name}, which reads, was told of`).toEqual([]);
      return answer;
    }
    expect(effect, `${name} says what it does`).toBeDefined();
    await this.#options.rest();
    if (effect?.destructive === false) {
      expect(lost(before.tables, (await this.#state()).tables), `${name}, which only adds, removed`).toEqual(
        [],
      );
    }
    await this.#again(name, data, effect?.idempotent ?? false);
    return answer;
  }

  /** What every service answers, and the states behind channels. */
  async looks(channels: readonly (readonly [kind: string, id: string | null])[]): Promise<void> {
    await this.#options.rest();
    this.#started.told();
    const before = await this.#state();
    const { manager } = this.#started;
    for (const [kind, id] of channels) {
      const field = this.#contract.channels[kind as "global"]?.id;
      if (field !== undefined) expect(await manager.getStatus?.({ [field]: id })).toBeDefined();
      manager.snapshot?.(kind, id);
      manager.presence?.(kind, id);
    }
    expect(await this.#state()).toEqual(before);
    await this.#options.rest();
    expect(this.#started.told()).toEqual([]);
  }

  /** Every request of the contract was proved. */
  isWhole(): void {
    expect([...this.#proved].sort()).toEqual(Object.keys(this.#contract.requests).sort());
  }

  async #again(name: string, data: JsonObject, idempotent: boolean): Promise<void> {
    this.#started.told();
    const before = await this.#state();
    await this.#started.request(name, data).catch((error) => {
      // Refused is as good as answered, as long as nothing comes of it.
      if (!(error instanceof Refusal)) throw error;
    });
    const after = await this.#state();
    await this.#options.rest();
    const told = this.#started.told().map(({ event }) => event);
    const changed = changedTables(before.tables, after.tables);
    if (idempotent) {
      expect({ again: name, told, changed }).toEqual({ again: name, told: [], changed: [] });
      expect(after).toEqual(before);
    } else {
      expect(told.length + changed.length, `${name} again does nothing more: it is idempotent`)
        .toBeGreaterThan(0);
    }
  }

  async #state() {
    const { database, manager } = this.#started;
    const names = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
      .all<{ name: string }>().map(({ name }) => name);
    const tables = new Map(names.map((name) => {
      const hidden = this.#options.hidden?.[name] ?? [];
      const rows = database.prepare(`SELECT * FROM "${name}"`).all().map((row) =>
        text(Object.fromEntries(Object.entries(row).filter(([column]) => !hidden.includes(column))))
      );
      return [name, rows];
    }));
    return { tables, status: await manager.getStatus?.({}) };
  }
}

type Tables = ReadonlyMap<string, readonly string[]>;

function changedTables(before: Tables, after: Tables): string[] {
  return [...after].filter(([name, rows]) => rows.join("\n") !== before.get(name)?.join("\n")).map(([name]) =>
    name
  );
}

/** Tables that have fewer rows than before. */
function lost(before: Tables, after: Tables): string[] {
  return [...before].filter(([name, rows]) => (after.get(name)?.length ?? 0) < rows.length).map(([name]) =>
    name
  );
}

function text(row: object): string {
  return JSON.stringify(row, (_, value) => {
    if (typeof value === "bigint") return `${value}n`;
    return value instanceof Uint8Array ? [...value].join(" ") : value;
  });
}
