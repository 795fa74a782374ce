/**
 * A contract as a table of permissions: what each of them opens, at every door.
 *
 * @module
 */
import { SERVER_TOOL_NAMES } from "../../src/mcp/tool-names.ts";
import type { Access, ChannelKind, Contract, EventSpec, RequestSpec } from "../../src/protocol/contract.ts";
import type { HttpRoute } from "../../src/service/http-route.ts";

/** Requests of every service that only look. */
const COMMON_QUERIES = ["get_status", "get_history", "get_presence"];
const COMMON_ROUTES = ["GET /api/status", "GET /api/channels", "GET /api/channels/{channel}/events"];
/** They can say anything in the service's name. */
const BROADCASTS = /broadcast_test_event$/;

interface Opened {
  readonly channels: readonly string[];
  readonly requests: readonly string[];
  readonly events: readonly string[];
  readonly routes: readonly string[];
  readonly tools: readonly string[];
}

export function permissionTable(contract: Contract, routes: readonly HttpRoute<unknown>[]): string {
  const { name } = contract;
  const rows = (["read", "write", "run"] as const)
    .map((access) => ({ access, opened: openedBy(contract, routes, access) }))
    .filter(({ access, opened }) => access !== "run" || opened.requests.length > 0)
    .map(({ access, opened }) => [`\`${name}:${access}\``, ...cells(opened)]);
  const admin = openedBy(contract, routes, "admin");
  const more = cells({ ...admin, channels: [] }).map((cell) => cell === "–" ? "all" : `all, and ${cell}`);
  rows.push([`\`${name}:admin\`, \`admin\``, ...more]);
  const head = ["permission", "subscribes to", "asks", "publishes", "HTTP routes", "MCP tools"];
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function openedBy(contract: Contract, own: readonly HttpRoute<unknown>[], access: Access): Opened {
  const kinds: Readonly<Record<string, ChannelKind>> = contract.channels;
  const requests = namesOf<RequestSpec>(contract.requests, (request) => request.access === access);
  const events = namesOf<EventSpec>(contract.events, ({ publishable }) => publishable === access);
  const isRead = access === "read";
  return {
    channels: Object.keys(kinds)
      .filter((kind) => isRead || kind === "global")
      .map((kind) => kinds[kind]!.id === undefined ? kind : `${kind}:{${kinds[kind]!.id}}`),
    requests: [...requests, ...(isRead ? COMMON_QUERIES : [])],
    events,
    routes: [
      ...(isRead ? COMMON_ROUTES : []),
      ...own.filter((route) => route.access === access)
        .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    ],
    tools: [...SERVER_TOOL_NAMES].filter((tool) => access === (BROADCASTS.test(tool) ? "admin" : "read")),
  };
}

function namesOf<Spec>(table: Readonly<Record<string, Spec>>, fits: (spec: Spec) => boolean): string[] {
  return Object.entries(table).filter(([, spec]) => fits(spec)).map(([name]) => name);
}

/** One for each door. */
function cells({ channels, requests, events, routes, tools }: Opened): string[] {
  const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  // By a route or a tool of its own name.
  const same = requests.length > 0 ? ["those of the requests"] : [];
  const publishing = (text: string) => events.length > 0 ? [text] : [];
  return [
    list(channels),
    list(requests),
    list(events),
    [...same, ...publishing("`POST /api/publish`"), ...(routes.length > 0 ? [list(routes)] : [])].join(", "),
    [...same, ...publishing("`publish`"), ...(tools.length > 0 ? [list(tools)] : [])].join(", "),
  ].map((cell) => cell === "" ? "–" : cell);
}
