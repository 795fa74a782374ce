/**
 * The channels of the notes service: a real journal, broker and hub, without a server around them.
 *
 * @module
 */
import type { Broker, CreateBroker } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import type { ChannelAccess } from "../../src/mcp/channel-access.ts";
import { Watches } from "../../src/mcp/watches.ts";
import { type Clock, timestamp } from "../../src/ports/clock.ts";
import { DEFAULT_RETENTION, type Retention } from "../../src/ports/journal.ts";
import type { Contract } from "../../src/protocol/contract.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import { Hub } from "../../src/rooms/hub.ts";
import { channelNames } from "../../src/server/channel-list.ts";

export interface NotesChannels {
  readonly access: ChannelAccess;
  readonly watches: Watches;
  readonly broker: Broker;
  readonly hub: Hub;
  /** Let an event happen in a channel, as a commit does; one with this position is in the past when it returns. */
  publish(channel: string, event: string, data?: JsonObject): SequencedEvent;
}

export interface NotesChannelsOptions {
  readonly contract: Contract;
  readonly clock: Clock;
  readonly createBroker?: CreateBroker | undefined;
  readonly retention?: Partial<Retention> | undefined;
  readonly snapshot?: ChannelAccess["snapshot"] | undefined;
  /** @default `e1` */
  readonly epoch?: string | undefined;
}

export function notesChannels(options: NotesChannelsOptions): NotesChannels {
  const { contract, clock, epoch = "e1", createBroker = (parts) => new MemoryBroker(parts) } = options;
  const retention = { ...DEFAULT_RETENTION, ...options.retention };
  const journal = new MemoryJournal({ clock, epoch, retentionOf: () => retention });
  const broker = createBroker({
    journal,
    onError: (error) => {
      throw error;
    },
  });
  const hub = new Hub({ server: contract.name, channels: contract.channels });
  const watches = new Watches();
  broker.subscribe((event, cause) => {
    hub.deliver(event, cause);
    watches.deliver(event);
  });
  const kinds: Contract["channels"] = contract.channels;
  return {
    access: {
      get position() {
        return broker.position;
      },
      read: (scope, after, limit, maxBytes) => broker.read(scope, after, limit, maxBytes),
      last: (scope, count, maxBytes) => broker.last(scope, count, maxBytes),
      evicted: (scope) => broker.evicted(scope),
      snapshot: options.snapshot ?? (() => null),
      list: (names, limit) => channelNames({ journal, hub }, names, limit),
    },
    watches,
    broker,
    hub,
    publish(channel, event, data = {}) {
      const [kind = ""] = channel.split(":", 1);
      const stamped = timestamp(clock);
      const [stored] = journal.append([{
        id: crypto.randomUUID(),
        channel,
        event,
        data: { ...data, timestamp: stamped },
        timestamp: stamped,
        ephemeral: kinds[kind as "global"].ephemeral === true,
      }]);
      void broker.publish([stored!]);
      return stored!;
    },
  };
}
