/**
 * What the types of the client let through. The compiler is the judge (`npm run check`): a line under `@ts-expect-error`
 * that compiles is an error, and so is a type that is another one than expected. Nothing of it is sent.
 */
import { describe, expectTypeOf, it } from "vitest";
import type { excalidraw } from "../../services/excalidraw/contract.ts";
import type { sessionBuddy } from "../../services/session-buddy/contract.ts";
import type {
  AskOutput,
  ChannelName,
  Client,
  EventItem,
  GapItem,
  Item,
  SnapshotItem,
  Subscription,
} from "../../src/client/mod.ts";

type SessionBuddy = typeof sessionBuddy;
type Excalidraw = typeof excalidraw;

/** What a subscription brings. */
type Brought<S> = S extends Subscription<infer I> ? I : never;

/** Only compiled. */
const compiled = (_use: (sessions: Client<SessionBuddy>, diagrams: Client<Excalidraw>) => void) => {};

describe("a client typed by a contract", () => {
  it("knows the channels", () => {
    expectTypeOf<ChannelName<SessionBuddy>>()
      .toEqualTypeOf<"global" | `session:${string}` | `knowledge:${string}` | `checkpoint:${string}`>();
    compiled((sessions, diagrams) => {
      sessions.subscribe("global");
      sessions.subscribe("session:s1");
      sessions.subscribe("session:*");
      diagrams.subscribe("presence:d1");
      // @ts-expect-error a kind of another service
      sessions.subscribe("diagram:d1");
      // @ts-expect-error a kind without an id
      sessions.subscribe("session");
      // @ts-expect-error an id where there is none
      sessions.subscribe("global:1");
      // @ts-expect-error a wildcard over everything
      diagrams.subscribe("*");
      const any = "session:s1" as string;
      // @ts-expect-error a text that may be anything
      sessions.subscribe(any);
    });
  });

  it("knows the events of a channel", () => {
    compiled((sessions, diagrams) => {
      sessions.subscribe("session:s1", { events: ["session.updated", "session.closed"] });
      sessions.subscribe("global", { events: ["session.created", "system.announcement"] });
      // @ts-expect-error no such event
      sessions.subscribe("session:s1", { events: ["session.opened"] });
      // @ts-expect-error an event of another channel
      sessions.subscribe("session:s1", { events: ["knowledge.captured"] });
      // @ts-expect-error an event of another channel, under a wildcard
      sessions.subscribe("checkpoint:*", { events: ["session.updated"] });
      // @ts-expect-error an event of another service
      diagrams.subscribe("diagram:d1", { events: ["session.updated"] });
    });
  });

  it("narrows what a subscription brings by its type and its event", () => {
    compiled((sessions) => {
      const subscription = sessions.subscribe("session:s1");
      const hear = (item: Brought<typeof subscription>) => {
        expectTypeOf(item.type).toEqualTypeOf<"event" | "gap" | "snapshot">();
        if (item.type === "gap") {
          expectTypeOf(item).toEqualTypeOf<GapItem>();
        } else if (item.type === "snapshot") {
          expectTypeOf(item.snapshot).toEqualTypeOf<AskOutput<SessionBuddy, "get_session">>();
          expectTypeOf(item.snapshot.context).not.toBeAny();
          expectTypeOf(item.seq).toEqualTypeOf<number>();
        } else {
          expectTypeOf(item.event)
            .toEqualTypeOf<"session.created" | "session.updated" | "session.checkpoint" | "session.closed">();
          if (item.event === "session.created") {
            expectTypeOf(item.data.project).toEqualTypeOf<string>();
            expectTypeOf(item.data.working_directory).toEqualTypeOf<string | null>();
            expectTypeOf(item.data.timestamp).toEqualTypeOf<string>();
            // @ts-expect-error data of another event
            return item.data.checkpoint_id;
          }
          if (item.event === "session.checkpoint") {
            expectTypeOf(item.data.quality_score).toEqualTypeOf<number | null>();
          }
          // @ts-expect-error an event that does not come here
          if (item.event === "knowledge.captured") return item;
        }
        return null;
      };
      return hear;
    });
  });

  it("brings only the events that were asked for", () => {
    compiled((sessions, diagrams) => {
      const closed = sessions.subscribe("session:*", { events: ["session.closed"] });
      const hear = (item: Brought<typeof closed>) => {
        if (item.type !== "event") return;
        expectTypeOf(item.event).toEqualTypeOf<"session.closed">();
        expectTypeOf(item.data.duration_seconds).toEqualTypeOf<number>();
      };
      const cursor = diagrams.subscribe("cursor:d1");
      const look = (item: Brought<typeof cursor>) => {
        // This kind has no snapshot.
        expectTypeOf(item.type).toEqualTypeOf<"event" | "gap">();
        if (item.type !== "event") return;
        expectTypeOf(item.event).toEqualTypeOf<"cursor.moved">();
        expectTypeOf(item.data.user_id).toEqualTypeOf<string>();
        expectTypeOf(item.data.position).not.toBeAny();
      };
      const diagram = diagrams.subscribe("diagram:d1");
      const draw = (item: Brought<typeof diagram>) => {
        if (item.type === "snapshot") expectTypeOf(item.snapshot.version).toEqualTypeOf<number>();
        else if (item.type === "event" && item.event === "diagram.updated") {
          expectTypeOf(item.data.version).toEqualTypeOf<number>();
        }
      };
      return [hear, look, draw];
    });
  });

  it("knows the requests, what they take and what they give", () => {
    compiled(async (sessions, diagrams) => {
      const session = await sessions.request("start_session", { session_id: "s1", project: "types" });
      expectTypeOf(session.version).toEqualTypeOf<number>();
      expectTypeOf(session.session_id).toEqualTypeOf<string>();
      const status = await diagrams.request("get_diagram_status", { diagram_id: "d1" });
      expectTypeOf(status.status).toEqualTypeOf<"found" | "not_found">();
      await sessions.request("get_status", {});
      await sessions.request("get_presence", { channel: "session:s1" });
      // @ts-expect-error a required field is missing
      await sessions.request("start_session", { session_id: "s1" });
      // @ts-expect-error a field has another type
      await sessions.request("start_session", { project: 7 });
      // @ts-expect-error a field that the request does not have
      await sessions.request("end_session", { session_id: "s1", sumary: "typed wrong" });
      // @ts-expect-error no such request
      await sessions.request("stop_session", { session_id: "s1" });
      // @ts-expect-error a request of another service
      await diagrams.request("start_session", { project: "types" });
      // @ts-expect-error a common request without what it needs
      await sessions.request("get_presence", {});
    });
  });

  it("knows what clients may publish, and with which data", () => {
    compiled(async (sessions, diagrams) => {
      await diagrams.publish("cursor.moved", { diagram_id: "d1", position: { x: 1, y: 2 } });
      await sessions.publish("system.announcement", { message: "hello" });
      // @ts-expect-error only the service says this
      await diagrams.publish("diagram.created", { diagram_id: "d1", title: "t", version: 1 });
      // @ts-expect-error only the service says this
      await sessions.publish("session.closed", { session_id: "s1" });
      // @ts-expect-error data is missing
      await diagrams.publish("cursor.moved", { diagram_id: "d1" });
    });
  });

  it("lets everything pass where there is no contract", () => {
    const use = (client: Client) => {
      const subscription = client.subscribe("workflow:w1", { events: ["workflow.started"] });
      expectTypeOf(subscription.position).toEqualTypeOf<
        { readonly epoch: string; readonly seq: number } | null
      >();
      expectTypeOf<Brought<typeof subscription>["type"]>().toEqualTypeOf<Item["type"]>();
      expectTypeOf<Extract<Item, { type: "event" }>>().toEqualTypeOf<EventItem>();
      expectTypeOf<Extract<Item, { type: "snapshot" }>>().toEqualTypeOf<SnapshotItem>();
      const answer: Promise<Record<string, unknown>> = client.request("get_workflow_status", {
        workflow_id: "w1",
      });
      return [answer, client.publish("workflow.started", { workflow_id: "w1" })];
    };
    compiled(use as never);
  });
});
