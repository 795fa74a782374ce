/**
 * Channels as resources: which there are, what is in them, and hearing that it has changed.
 *
 * @module
 */
import { stringifyJson } from "../protocol/json.ts";
import type { ChannelAccess } from "./channel-access.ts";
import { readChannel } from "./channel-reading.ts";
import type { McpHost } from "./host.ts";
import { ListChanges } from "./list-changes.ts";
import {
  type Completion,
  ResourceError,
  type ResourceListing,
  type ResourcePage,
  type ResourceProvider,
  type ResourceTemplate,
} from "./resource.ts";
import { placeOf, templateOf, uriOf } from "./resource-uri.ts";
import { ResourceUpdates } from "./resource-updates.ts";
import type { Caller } from "./tool.ts";
import type { WatchedPlace } from "./watches.ts";

/** Channels of one page. */
const PAGE_SIZE = 100;
/** Channels that are listed or completed at all: those with the newest events. */
const MOST_CHANNELS = 1_000;
const MOST_COMPLETIONS = 100;
const JSON_TYPE = "application/json";

export function resourcesOf(host: McpHost): ResourceProvider {
  return new ChannelResources(host);
}

interface Kind {
  readonly name: string;
  readonly description: string;
  /** Name of the variable part; undefined where the kind is one channel. */
  readonly id: string | undefined;
}

class ChannelResources implements ResourceProvider {
  readonly #host: McpHost;
  readonly #kinds: readonly Kind[];
  readonly #updates: ResourceUpdates;
  readonly #listChanges: ListChanges;

  constructor(host: McpHost) {
    this.#host = host;
    this.#kinds = Object.entries(host.contract.channels).map(([name, { description, id }]) => {
      return { name, description, id };
    });
    this.#updates = new ResourceUpdates(host.clock);
    this.#listChanges = new ListChanges(host, this.#kinds.filter(hasId).map(({ name }) => name));
  }

  /** Sorted, and each page begins after the last of the one before, since what is newest changes while it is read. */
  list(caller: Caller, cursor?: string): ResourcePage {
    const kinds = this.#readable(caller);
    const single = kinds.filter((kind) => !hasId(kind)).map(({ name }) => name);
    const ofMany = kinds.filter(hasId).map(({ name }) => name);
    const others = this.#open().list(ofMany, MOST_CHANNELS - single.length);
    const after = cursor === undefined ? "" : this.#readCursor(cursor);
    const names = [...single, ...others].sort().filter((name) => name > after);
    const page = names.slice(0, PAGE_SIZE);
    const resources = page.map((name) => this.#listing(name));
    return names.length > PAGE_SIZE
      ? { resources, nextCursor: encodeURIComponent(page.at(-1)!) }
      : { resources };
  }

  templates(caller: Caller): ResourceTemplate[] {
    const { contract } = this.#host;
    return this.#readable(caller).filter(hasId).map(({ name, description, id }) => ({
      uriTemplate: templateOf(contract, name, id!),
      name,
      title: `${contract.name} ${name}`,
      description: `${description} (* for all)`,
      mimeType: JSON_TYPE,
    }));
  }

  async read(uri: string, caller: Caller) {
    const place = this.#placeFor(caller, uri);
    const state = await readChannel(this.#host.contract.name, this.#open(), place);
    return [{ uri, mimeType: JSON_TYPE, text: stringifyJson(state) }];
  }

  subscribe(uri: string, caller: Caller, updated: (traceparent?: string) => void): () => void {
    const place = this.#placeFor(caller, uri);
    const updates = this.#updates.add(updated);
    const stop = this.#host.watches.watch(place, updates.changed);
    return () => {
      stop();
      updates.stop();
    };
  }

  complete(uriTemplate: string, variable: string, typed: string, caller: Caller): Completion {
    const { contract } = this.#host;
    const isAsked = ({ name, id }: Kind) =>
      id !== undefined && templateOf(contract, name, id) === uriTemplate;
    const kind = this.#kinds.find(isAsked);
    if (!kind) {
      throw new ResourceError("invalid", "Unknown template: resources/templates/list names those there are");
    }
    if (kind.id !== variable) {
      throw new ResourceError("invalid", `Unknown variable of ${uriTemplate}: expected ${kind.id}`);
    }
    if (!this.#mayRead(caller, kind)) return { values: [], total: 0, hasMore: false };
    const names = this.#open().list([kind.name], MOST_CHANNELS);
    const ids = names.map((name) => name.slice(kind.name.length + 1));
    const begin = ids.filter((id) => id.startsWith(typed));
    const contain = ids.filter((id) => !id.startsWith(typed) && id.includes(typed));
    const matching = [...begin, ...contain];
    return {
      values: matching.slice(0, MOST_COMPLETIONS),
      total: matching.length,
      hasMore: matching.length > MOST_COMPLETIONS || names.length === MOST_CHANNELS,
    };
  }

  onListChanged(caller: Caller, changed: () => void): () => void {
    return this.#listChanges.listen(new Set(this.#readable(caller).map(({ name }) => name)), changed);
  }

  #listing(channel: string): ResourceListing {
    const { contract } = this.#host;
    const [kind = ""] = channel.split(":", 1);
    return {
      uri: uriOf(contract, channel),
      name: channel,
      title: `${contract.name} ${channel}`,
      description: contract.channels[kind as "global"].description,
      mimeType: JSON_TYPE,
    };
  }

  #readCursor(cursor: string): string {
    try {
      return decodeURIComponent(cursor);
    } catch {
      throw new ResourceError("invalid", "Invalid cursor: expected the nextCursor of an earlier answer");
    }
  }

  #mayRead({ identity }: Caller, { name }: Kind): boolean {
    return this.#host.mayRead(identity, name);
  }

  #readable(caller: Caller): Kind[] {
    return this.#kinds.filter((kind) => this.#mayRead(caller, kind));
  }

  #placeFor({ identity }: Caller, uri: string): WatchedPlace {
    const place = placeOf(this.#host.contract, uri);
    if (this.#host.mayRead(identity, place.kind)) return place;
    throw new ResourceError("refused", `Not authorized to read ${place.name}`);
  }

  #open(): ChannelAccess {
    const channels = this.#host.channels();
    if (channels) return channels;
    throw new ResourceError("refused", "The service is not up: try again in a moment");
  }
}

function hasId({ id }: Kind): boolean {
  return id !== undefined;
}
