/**
 * A channel and events of a contract, for the descriptions of tools: a model does best what it is shown.
 *
 * @module
 */
import type { ChannelKind, Contract } from "../protocol/contract.ts";

export interface ExamplePlace {
  readonly channel: string;
  /** Of an event that comes to it. */
  readonly event: string;
  /** Names of all events. */
  readonly names: string;
  /** Forms of all channels. */
  readonly forms: string;
}

/** Of a kind with ids and a history, where there is one, and the last of its events: mostly an end of something. */
export function exampleOf(contract: Contract): ExamplePlace {
  const kinds: readonly [string, ChannelKind][] = Object.entries(contract.channels);
  const names = Object.keys(contract.events);
  const eventsTo = (kind: string) =>
    names.filter((name) => {
      const { channels } = contract.events[name as "system.announcement"];
      return Array.isArray(channels) && channels.includes(kind);
    });
  const [kind, spec] =
    kinds.find(([kind, { id, ephemeral }]) =>
      id !== undefined && ephemeral !== true && eventsTo(kind).length > 0
    ) ?? ["global", contract.channels.global];
  const channel = spec.id === undefined ? kind : `${kind}:EXAMPLE`;
  const event = eventsTo(kind).at(-1) ?? "system.announcement";
  const forms = kinds.map(([kind, { id }]) => id === undefined ? kind : `${kind}:{${id}}`);
  return { channel, event, names: names.join(", "), forms: forms.join(", ") };
}
