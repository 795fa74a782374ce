/**
 * Resources, as one MCP session sees them: read, subscribed to, and told of.
 *
 * @module
 */
import { RPC, RpcRefusal } from "./failure.ts";
import { callerOf } from "./offered-to.ts";
import { ResourceError, type ResourceProvider } from "./resource.ts";
import {
  ListResourcesRequestSchema,
  type ListResourcesResult,
  ListResourceTemplatesRequestSchema,
  type ListResourceTemplatesResult,
  ReadResourceRequestSchema,
  type ReadResourceResult,
  type Server,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "./sdk.ts";
import type { Caller } from "./tool.ts";

/** Resources that one session may be subscribed to. */
const MAX_SUBSCRIPTIONS = 256;

export interface OfferedResources {
  /** Tell of the list and of every resource that is subscribed to: an update of each may have been missed. */
  tellAll(): void;
  /** Harmless twice. */
  close(): void;
}

/** @param lasting Whether there is a session, which hears of changes. */
export function offerResources(
  server: Server,
  resources: ResourceProvider,
  lasting: boolean,
): OfferedResources {
  const subscribed = new Map<string, () => void>();
  let stopListening: (() => void) | null = null;
  let closed = false;

  const tell = (uri: string, traceparent?: string) => {
    const meta = traceparent === undefined ? {} : { _meta: { traceparent } };
    void server.sendResourceUpdated({ uri, ...meta }).catch(() => {});
  };
  const tellOfList = () => void server.sendResourceListChanged().catch(() => {});
  /** Only who has looked at the list wants to hear that there is another one. */
  const listenTo = (caller: Caller) => {
    stopListening ??= resources.onListChanged(caller, tellOfList);
  };

  server.setRequestHandler(ListResourcesRequestSchema, async ({ params }, extra) => {
    const caller = callerOf(extra);
    if (lasting && !closed) listenTo(caller);
    return await told(() => resources.list(caller, params?.cursor)) as unknown as ListResourcesResult;
  });
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async (_, extra) => {
    const resourceTemplates = await told(() => resources.templates(callerOf(extra)));
    return { resourceTemplates } as unknown as ListResourceTemplatesResult;
  });
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params }, extra) => {
    const contents = await told(() => resources.read(params.uri, callerOf(extra)));
    return { contents } as unknown as ReadResourceResult;
  });
  server.setRequestHandler(SubscribeRequestSchema, async ({ params: { uri } }, extra) => {
    if (!lasting) {
      const message = "Cannot subscribe without a session: send initialize first";
      throw new RpcRefusal(RPC.INVALID_REQUEST, message);
    }
    if (subscribed.has(uri) || closed) return {};
    if (subscribed.size >= MAX_SUBSCRIPTIONS) {
      const message =
        `Cannot subscribe to more than ${MAX_SUBSCRIPTIONS} resources: unsubscribe from one first`;
      throw new RpcRefusal(RPC.INVALID_REQUEST, message);
    }
    // At once, so that the same subscription that comes meanwhile finds it.
    await told(() => {
      subscribed.set(uri, resources.subscribe(uri, callerOf(extra), (trace) => tell(uri, trace)));
    });
    return {};
  });
  server.setRequestHandler(UnsubscribeRequestSchema, ({ params: { uri } }) => {
    subscribed.get(uri)?.();
    subscribed.delete(uri);
    return {};
  });

  return {
    tellAll() {
      if (stopListening) tellOfList();
      for (const uri of subscribed.keys()) tell(uri);
    },
    close() {
      closed = true;
      stopListening?.();
      for (const stop of subscribed.values()) stop();
      subscribed.clear();
    },
  };
}

const CODES = {
  not_found: RPC.RESOURCE_NOT_FOUND,
  invalid: RPC.INVALID_PARAMS,
  refused: RPC.INVALID_REQUEST,
} as const;

/** What the work gives; its refusals as errors of the protocol. */
export async function told<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ResourceError) throw new RpcRefusal(CODES[error.reason], error.message);
    throw error;
  }
}
