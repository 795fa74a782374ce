/**
 * The rules of the house as functions of source files: each gives one line per violation. Which room stands on which
 * floor is the caller's to say.
 *
 * @module
 */
import { posix } from "node:path";
import type { Source } from "./read-source.ts";

export interface House {
  /** Rooms of `src` and the floor that each stands on. */
  readonly floors: Readonly<Record<string, number>>;
  /** Imports between rooms that are allowed besides those from a lower floor. */
  readonly doors: readonly (readonly [from: string, to: string])[];
  /** Rooms that only some may import: rooms, or `services`. */
  readonly visitors: Readonly<Record<string, readonly string[]>>;
  /** Rooms that may import these rooms, and no others. */
  readonly closed: Readonly<Record<string, readonly string[]>>;
  /** Packages that a room may import; a room that is not named may import any. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
}

/** `src/auth/token.ts` → `auth`; `services/dhruva/manager.ts` → `services`; `mod.ts` → `mod.ts`. */
export function roomOf(path: string): string {
  const [top = "", second = ""] = path.split("/");
  return top === "src" ? second : top;
}

/** `@hono/node-server/ws` → `@hono/node-server`; `hono/ws` → `hono`. */
export function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/** May this file name a runtime? */
function isGround(path: string): boolean {
  return /^src\/(runtimes|cli)\/|^services\/[^/]+\/main\.ts$/.test(path);
}

/** Every room has a floor; imports go down, or through a door that is marked. */
export function floorFaults(sources: readonly Source[], house: House): string[] {
  const faults: string[] = [];
  for (const { path, imports } of sources) {
    const from = roomOf(path);
    const floor = house.floors[from];
    if (path.startsWith("src/") && floor === undefined) faults.push(`${path}: room '${from}' has no floor`);
    if (floor === undefined) continue;
    for (const { file } of imports) {
      if (file === undefined || roomOf(file) === from) continue;
      const to = roomOf(file);
      const visitors = house.visitors[to];
      const below = house.floors[to];
      if (house.closed[from]?.includes(to) === false) {
        faults.push(`${path}: '${from}' may not import '${to}'`);
      } else if (visitors && !visitors.includes(from)) faults.push(`${path}: '${to}' is not for '${from}'`);
      else if (house.doors.some(([a, b]) => a === from && b === to)) continue;
      else if (below === undefined || below >= floor) {
        const way = below === floor ? "sideways" : "upwards";
        faults.push(`${path}: imports ${way}, from '${from}' (${floor}) to '${to}' (${below ?? "outside"})`);
      }
    }
  }
  return faults;
}

/** A room imports only packages that it is allowed, and only such as are declared dependencies. */
export function packageFaults(
  sources: readonly Source[],
  house: House,
  dependencies: ReadonlySet<string>,
): string[] {
  const faults: string[] = [];
  for (const { path, imports } of sources) {
    for (const { specifier, file, typeOnly } of imports) {
      if (specifier === null || file !== undefined || /^(node|bun):/.test(specifier)) continue;
      const name = packageOf(specifier);
      const allowed = house.packages[roomOf(path)];
      if (allowed && !allowed.includes(name)) faults.push(`${path}: imports package '${name}'`);
      else if (!typeOnly && !dependencies.has(name)) {
        faults.push(`${path}: imports package '${name}', which package.json does not depend on`);
      }
    }
  }
  return faults;
}

/** No file reaches itself through its imports. Each cycle is told once. */
export function cycleFaults(sources: readonly Source[]): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const done = new Set<string>();
  const faults: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) faults.push(`cycle: ${[...trail.slice(start), path].join(" → ")}`);
    if (start >= 0 || done.has(path)) return;
    for (const { file } of byPath.get(path)?.imports ?? []) {
      if (file !== undefined) walk(file, [...trail, path]);
    }
    done.add(path);
  };
  for (const { path } of sources) walk(path, []);
  return faults;
}

/** Runtimes are named on the ground only. */
export function runtimeNameFaults(sources: readonly Source[]): string[] {
  return sources.filter(({ path }) => !isGround(path)).flatMap(({ path, imports, names }) => [
    ...names.filter(({ name }) => /^(Deno|Bun|process)$/.test(name))
      .map(({ name, line }) => `${path}:${line}: uses '${name}'`),
    ...imports.flatMap(({ specifier }) => {
      if (specifier === null) return [`${path}: imports something computed, which no rule can see`];
      return /^(node|bun):|^bun$/.test(specifier) ? [`${path}: imports '${specifier}'`] : [];
    }),
  ]);
}

/** Time comes in by `src/ports/clock.ts`. */
export function clockFaults(sources: readonly Source[]): string[] {
  return sources
    .filter(({ path }) => path !== "src/ports/clock.ts" && !path.startsWith("src/runtimes/"))
    .flatMap(({ path, names }) =>
      names.filter(({ name }) => /^(set|Date|performance)/.test(name))
        .map(({ name, line }) => `${path}:${line}: uses '${name}' instead of the clock`)
    );
}

/** Named exports, kebab-case names that say something, at most 400 lines. */
export function fileFaults(sources: readonly Source[]): string[] {
  return sources.flatMap(({ path, lines, hasDefaultExport }) => {
    const name = posix.basename(path, ".ts");
    const faults: string[] = [];
    if (hasDefaultExport) faults.push(`${path}: has a default export`);
    if (lines > 400) faults.push(`${path}: has ${lines} lines, at most 400 are allowed`);
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) faults.push(`${path}: is not named in kebab-case`);
    if (/^(utils?|helpers?|types|common)$/.test(name)) faults.push(`${path}: '${name}' says nothing`);
    return faults;
  });
}

const WIRING = /^(server|main|mod)\.ts$/;
const BESIDE_CONTRACT = /^(manager|handlers|server|main|mod)\.ts$/;
const DOMAIN_ROOMS = new Set(["protocol", "ports", "storage", "service", "client"]);
const SERVER_PACKAGES = /^(hono|@hono\/.*|ws|@modelcontextprotocol\/.*)$/;

/**
 * Within a service: the contract, with the files that it is made of, speaks the protocol only; the domain (manager,
 * handlers and their parts) knows no server, no Hono, no sockets. Of another service, only the contract may be seen.
 */
export function serviceFaults(sources: readonly Source[]): string[] {
  const faults: string[] = [];
  const contracts = contractFiles(sources);
  for (const { path, imports } of sources) {
    const [top, service, ...rest] = path.split("/");
    if (top !== "services") continue;
    const own = rest.join("/");
    const isContract = contracts.has(path);
    const isDomain = !isContract && !WIRING.test(own);
    for (const { specifier, file } of imports) {
      const fault = (reason: string) => faults.push(`${path}: imports '${specifier}': ${reason}`);
      if (file === undefined) {
        const name = packageOf(specifier ?? "");
        if (isContract && name !== "valibot") fault("a contract knows valibot only");
        if (isDomain && SERVER_PACKAGES.test(name)) fault("the domain knows no server");
        continue;
      }
      const [toTop, toService, ...toRest] = file.split("/");
      const target = toRest.join("/");
      if (toTop !== "services") {
        const room = roomOf(file);
        if (isContract && room !== "protocol") fault("a contract speaks the protocol only");
        if (isDomain && !DOMAIN_ROOMS.has(room)) {
          fault(`the domain knows ${[...DOMAIN_ROOMS].join(", ")} only`);
        }
        if (own === "manager.ts" && room === "client") fault("a manager is given its client");
      } else if (toService !== service) {
        if (target !== "contract.ts") fault("of another service, only the contract may be seen");
      } else if (isContract && BESIDE_CONTRACT.test(target)) fault("a contract stands alone");
      else if (isDomain && WIRING.test(target)) fault("the domain knows no server");
    }
  }
  return faults;
}

/** Every service's `contract.ts`, and the files of the same service that it is made of. */
function contractFiles(sources: readonly Source[]): Set<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const files = new Set<string>();
  const walk = (path: string, folder: string): void => {
    const own = path.startsWith(folder) && !BESIDE_CONTRACT.test(path.slice(folder.length));
    if (!own || files.has(path)) return;
    files.add(path);
    for (const { file } of byPath.get(path)?.imports ?? []) if (file !== undefined) walk(file, folder);
  };
  for (const { path } of sources) {
    if (/^services\/[^/]+\/contract\.ts$/.test(path)) walk(path, path.slice(0, -"contract.ts".length));
  }
  return files;
}

/** Every file that is loaded when `entry` is, by imports that stand at its top. */
export function loadedBy(entry: string, sources: readonly Source[]): Set<string> {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const loaded = new Set<string>();
  const walk = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    for (const { file, typeOnly, dynamic } of byPath.get(path)?.imports ?? []) {
      if (file !== undefined && !typeOnly && !dynamic) walk(file);
    }
  };
  walk(entry);
  return loaded;
}
