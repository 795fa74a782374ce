/**
 * Who may knock: the Host and Origin headers of a request, before anything else of it is looked at. A web page anywhere
 * can open a WebSocket to a server on the visitor's own machine; the Origin header tells us so. A page whose domain was
 * pointed at this machine (DNS rebinding) looks like our own; the Host header tells us so.
 *
 * @module
 */

export interface OriginRuleOptions {
  /** Ports of the project's services as configured. Pages served from them on this machine may connect. */
  readonly ownPorts: readonly number[];
  /**
   * Origins of pages that may connect besides: `https://app.example:8443`, without a path. `*` is every page that has
   * an origin; `null`, which any page can send, is never allowed.
   */
  readonly allowedOrigins: readonly string[];
  /**
   * Names by which clients may reach this server besides loopback names: `rt.example` for any port, `rt.example:8690` for
   * one. `*` is every name, and gives the protection against DNS rebinding away.
   */
  readonly allowedHosts: readonly string[];
  /** More of the same that no setting has to list: the host that the server was told to listen on. @default [] */
  readonly extraHosts?: readonly string[];
}

export type OriginVerdict = { readonly ok: true } | {
  readonly ok: false;
  /** One sentence for the log and for the body of the refusal (403). Holds at most 100 characters of the header. */
  readonly message: string;
};

export interface OriginRule {
  /** Judge a request by its headers; a header that is not there is null or undefined. Never throws. */
  check(headers: { host: string | null | undefined; origin: string | null | undefined }): OriginVerdict;
}

interface Authority {
  /** Lower case, without a final dot, addresses in their one canonical form (`127.0.0.1`, `[::1]`). */
  readonly name: string;
  /** Null where none is given. */
  readonly port: number | null;
}

const ALLOWED: OriginVerdict = { ok: true };
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([["http", 80], ["https", 443]]);

/**
 * Make the rule. Without an Origin header the client is a program and may connect; with one, it may from a loopback
 * origin on one of `ownPorts` or on the port that it connects to, or from an allowed origin. The Host header must be a loopback name (`localhost`,
 * `127.0.0.0/8`, `[::1]`, any port) or an allowed one.
 *
 * @throws {TypeError} where an allowed origin or host is malformed.
 */
export function createOriginRule(options: OriginRuleOptions): OriginRule {
  const ports = new Set(options.ownPorts);
  const origins = new Set(options.allowedOrigins.map(canonicalOrigin));
  const hosts = new Set([...options.allowedHosts, ...options.extraHosts ?? []].map(canonicalHost));

  const hostIsKnown = ({ name, port }: Authority): boolean => {
    if (isLoopback(name) || hosts.has("*") || hosts.has(name)) return true;
    // A client leaves the scheme's own port out, and the scheme is not known here where a proxy ends TLS.
    const possible = port === null ? [...DEFAULT_PORTS.values()] : [port];
    return possible.some((candidate) => hosts.has(`${name}:${candidate}`));
  };
  const originIsKnown = (origin: Origin): boolean =>
    origins.has("*") || origins.has(origin.text) ||
    (origin.port !== null && isLoopback(origin.name) && ports.has(origin.port));

  /** A page that this server's own port serves: that of an app in which the server is mounted, for one. */
  const isOwnPage = (authority: Authority, { name, port }: Origin): boolean =>
    isLoopback(name) && port !== null && name === authority.name && port === authority.port;

  return {
    check({ host, origin }) {
      if (host === null || host === undefined) {
        return refused("Cannot accept a request without a Host header: expected the name of this server");
      }
      const authority = parseAuthority(host);
      if (!authority) {
        return refused(
          `Cannot accept host ${quoted(host)}: expected a name or address, with or without a port`,
        );
      }
      if (!hostIsKnown(authority)) {
        return refused(
          `Cannot accept host ${
            quoted(host)
          }: expected a loopback name or one of the setting 'hosts.allowed'; ` +
            "add it there if clients are to reach this server by it",
        );
      }
      if (origin === null || origin === undefined) return ALLOWED;
      if (origin.trim().toLowerCase() === "null") {
        return refused(
          "Cannot accept origin 'null': expected the origin of a page, which files and sandboxes hide",
        );
      }
      const parsed = parseOrigin(origin);
      if (!parsed) {
        return refused(
          `Cannot accept origin ${quoted(origin)}: expected a scheme, a host and at most a port`,
        );
      }
      if (!originIsKnown(parsed) && !isOwnPage(authority, parsed)) {
        return refused(
          `Cannot accept origin ${
            quoted(origin)
          }: expected a page of this machine's own services or one of the ` +
            "setting 'origins.allowed'; add it there if that page is to connect",
        );
      }
      return ALLOWED;
    },
  };
}

function refused(message: string): OriginVerdict {
  return { ok: false, message };
}

/** A header's value for a sentence: short, and without anything that is not plain text. */
function quoted(value: string): string {
  const plain = value.replace(/[^\x20-\x7e]/g, "?").replaceAll("'", "?");
  return plain.length > 100 ? `'${plain.slice(0, 100)}…'` : `'${plain}'`;
}

/**
 * Read `name`, `name:port`, `1.2.3.4:port` or `[v6]:port`. The characters are looked at first, since the URL parser
 * would forgive user names, paths, tabs and backslashes; it then finds the one form of an address that has many.
 */
function parseAuthority(text: string): Authority | null {
  const parts = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_.-]{1,254})(?::([0-9]{0,5}))?$/i.exec(text);
  if (!parts || !URL.canParse(`http://${text}`)) return null;
  const name = new URL(`http://${text}`).hostname.replace(/\.$/, "");
  if (name === "") return null;
  return { name, port: parts[2] ? Number(parts[2]) : null };
}

interface Origin {
  /** As it is compared: scheme, name, and the port unless it is the scheme's own. */
  readonly text: string;
  readonly name: string;
  /** Null for a scheme other than `http` and `https`: such a page is no web page of ours. */
  readonly port: number | null;
}

function parseOrigin(text: string): Origin | null {
  const parts = /^([a-z][a-z0-9+.-]{0,63}):\/\/([^/]*)$/i.exec(text);
  if (!parts) return null;
  const scheme = parts[1]!.toLowerCase();
  const authority = parseAuthority(parts[2]!);
  if (!authority) return null;
  const ownPort = DEFAULT_PORTS.get(scheme);
  const port = authority.port ?? ownPort ?? null;
  const suffix = port === null || port === ownPort ? "" : `:${port}`;
  return {
    text: `${scheme}://${authority.name}${suffix}`,
    name: authority.name,
    port: ownPort === undefined ? null : port,
  };
}

function isLoopback(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function canonicalOrigin(text: string): string {
  if (text === "*") return text;
  const origin = parseOrigin(text.replace(/\/$/, ""));
  if (!origin) {
    throw new TypeError(
      `Cannot allow origin ${
        quoted(text)
      }: expected '*' or a scheme, a host and at most a port, like 'https://app.example'`,
    );
  }
  return origin.text;
}

function canonicalHost(text: string): string {
  if (text === "*") return text;
  // A bare IPv6 address, as a host to listen on is written.
  const bracketed = /^[0-9a-f:.]*:[0-9a-f.]*:[0-9a-f:.]*$/i.test(text) ? `[${text}]` : text;
  const authority = parseAuthority(bracketed);
  if (!authority) {
    throw new TypeError(
      `Cannot allow host ${quoted(text)}: expected '*' or a name or address, with or without a port`,
    );
  }
  return authority.port === null ? authority.name : `${authority.name}:${authority.port}`;
}
