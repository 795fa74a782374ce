/**
 * One typed method per event of a contract: `session.created` gives `broadcastSessionCreated(data)`.
 *
 * @module
 */
import type { Contract, EventData, EventName } from "../protocol/contract.ts";
import type { Manager, Service } from "../service/define-service.ts";
import { RealtimeServer, type ServerOptions } from "./realtime-server.ts";

type Pascal<Name extends string> = Name extends `${infer Head}.${infer Tail}`
  ? `${Pascal<Head>}${Pascal<Tail>}`
  : Name extends `${infer Head}_${infer Tail}` ? `${Pascal<Head>}${Pascal<Tail>}`
  : Capitalize<Name>;

export type BroadcastMethods<C extends Contract> = {
  readonly [E in EventName<C> as `broadcast${Pascal<E>}`]: (data: EventData<C, E>) => void;
};

/** The class of a service's server, with host, port and a broadcast method per event. */
export interface ServerClass<C extends Contract, M extends Manager> {
  new (options?: ServerOptions<M>): RealtimeServer<C, M> & BroadcastMethods<C>;
}

/** Make the server class of a service: `class MyServer extends serverOf(myService) {}`. */
export function serverOf<C extends Contract, M extends Manager>(service: Service<C, M>): ServerClass<C, M> {
  class ServiceServer extends RealtimeServer<C, M> {
    constructor(options?: ServerOptions<M>) {
      super(service, options);
    }
  }
  for (const event of Object.keys(service.contract.events) as EventName<C>[]) {
    Object.defineProperty(ServiceServer.prototype, methodName(event), {
      value(this: ServiceServer, data: EventData<C, typeof event>) {
        this.publish(event, data);
      },
    });
  }
  return ServiceServer as unknown as ServerClass<C, M>;
}

function methodName(event: string): string {
  return `broadcast${
    event.split(/[._]/).map((part) => part.charAt(0).toUpperCase() + part.slice(1)).join("")
  }`;
}
