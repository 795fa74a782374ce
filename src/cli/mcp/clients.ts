/**
 * The usual MCP clients: where each keeps its configuration, and how servers are written there.
 *
 * @module
 */

/** A server as a client is to reach it. */
export type Entry =
  | { readonly name: string; readonly command: string; readonly args: readonly string[] }
  /** `hasToken`: the service wants one, which stands in the environment. */
  | { readonly name: string; readonly url: string; readonly hasToken: boolean };

export interface McpClient {
  /** What a person knows it as. */
  readonly title: string;
  /** Where the configuration file is. */
  readonly places: readonly string[];
  /** It reaches servers by their address, too. */
  readonly takesUrl: boolean;
  /** What goes into the file. `tokenVariable` names the variable of the environment that a token is in. */
  write(entries: readonly Entry[], tokenVariable: string): string;
  /** What else is to be known, and what where services want a token. Absent: the client takes it from its environment. */
  readonly note?: string;
  readonly tokenNote?: string;
}

type Shape = (entry: Entry, tokenVariable: string) => Readonly<Record<string, unknown>>;

/** JSON with all servers in one object. */
function jsonUnder(key: string, shape: Shape): McpClient["write"] {
  return (entries, tokenVariable) => {
    const servers = Object.fromEntries(entries.map((entry) => [entry.name, shape(entry, tokenVariable)]));
    return JSON.stringify({ [key]: servers }, null, 2);
  };
}

/** @param reference How the client's file names a variable of the environment. */
function shaped(
  started: Readonly<Record<string, unknown>>,
  reached: (url: string) => Readonly<Record<string, unknown>>,
  reference: (variable: string) => string,
): Shape {
  return (entry, tokenVariable) => {
    if ("command" in entry) return { ...started, command: entry.command, args: entry.args };
    const headers = { Authorization: `Bearer ${reference(tokenVariable)}` };
    return { ...reached(entry.url), ...(entry.hasToken ? { headers } : {}) };
  };
}

const ofShell = (variable: string) => `\${${variable}}`;
const ofEditor = (variable: string) => `\${env:${variable}}`;

/** VS Code asks its user for a token once, and keeps it. */
function vscode(entries: readonly Entry[]): string {
  const id = "mcp-realtime-token";
  const shape = shaped(
    { type: "stdio" },
    (url) => ({ type: "http", url }),
    () => `\${input:${id}}`,
  );
  const servers = Object.fromEntries(entries.map((entry) => [entry.name, shape(entry, "")]));
  const asks = entries.some((entry) => "hasToken" in entry && entry.hasToken);
  const input = { type: "promptString", id, description: "Token for mcp-realtime", password: true };
  return JSON.stringify({ ...(asks ? { inputs: [input] } : {}), servers }, null, 2);
}

/** Strings, arrays of strings and keys of TOML are those of JSON, for the characters that occur here. */
function toml(entries: readonly Entry[], tokenVariable: string): string {
  return entries.map((entry) => {
    const lines = "command" in entry
      ? [`command = ${JSON.stringify(entry.command)}`, `args = [${entry.args.map(quoted).join(", ")}]`]
      : [
        `url = ${quoted(entry.url)}`,
        ...(entry.hasToken ? [`bearer_token_env_var = ${quoted(tokenVariable)}`] : []),
      ];
    return [`[mcp_servers.${entry.name}]`, ...lines].join("\n");
  }).join("\n\n");
}

/** DEL is the one character that JSON leaves as it is and TOML does not take. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u007f", "\\u007f");
}

const HOME_ONLY = "~ is your home folder, on Windows %USERPROFILE%";

/** By the name that `mcp config` takes. */
export const MCP_CLIENTS: Readonly<Record<string, McpClient>> = {
  "claude-desktop": {
    title: "Claude Desktop",
    places: [
      "macOS: ~/Library/Application Support/Claude/claude_desktop_config.json",
      "Windows: %APPDATA%\\Claude\\claude_desktop_config.json",
      "Linux: ~/.config/Claude/claude_desktop_config.json",
    ],
    takesUrl: false,
    write: jsonUnder("mcpServers", shaped({}, (url) => ({ url }), ofShell)),
    note: "Settings, Developer, Edit Config opens it. Quit and start Claude Desktop afterwards",
  },
  "claude-code": {
    title: "Claude Code",
    places: ["one project: .mcp.json in its folder", "all projects: ~/.claude.json"],
    takesUrl: true,
    write: jsonUnder("mcpServers", shaped({ type: "stdio" }, (url) => ({ type: "http", url }), ofShell)),
  },
  cursor: {
    title: "Cursor",
    places: ["one project: .cursor/mcp.json in its folder", "all projects: ~/.cursor/mcp.json"],
    takesUrl: true,
    write: jsonUnder("mcpServers", shaped({}, (url) => ({ url }), ofEditor)),
  },
  vscode: {
    title: "Visual Studio Code",
    places: [
      "one project: .vscode/mcp.json in its folder",
      'all projects: the command "MCP: Open User Configuration" opens it',
    ],
    takesUrl: true,
    write: vscode,
    tokenNote: "VS Code asks for the token when it first goes to a service",
  },
  windsurf: {
    title: "Windsurf",
    places: [`~/.codeium/windsurf/mcp_config.json (${HOME_ONLY})`],
    takesUrl: true,
    write: jsonUnder("mcpServers", shaped({}, (serverUrl) => ({ serverUrl }), ofEditor)),
  },
  zed: {
    title: "Zed",
    places: ['settings.json, which the command "zed: open settings file" opens'],
    takesUrl: true,
    write: jsonUnder("context_servers", shaped({}, (url) => ({ url }), () => "TOKEN")),
    tokenNote: "Put a token in place of TOKEN: these settings name no variables",
  },
  codex: {
    title: "Codex",
    places: [
      `all projects: ~/.codex/config.toml (${HOME_ONLY})`,
      "one project: .codex/config.toml in its folder",
    ],
    takesUrl: true,
    write: toml,
  },
  "gemini-cli": {
    title: "Gemini CLI",
    places: [
      `all projects: ~/.gemini/settings.json (${HOME_ONLY})`,
      "one project: .gemini/settings.json in its folder",
    ],
    takesUrl: true,
    write: jsonUnder("mcpServers", shaped({}, (httpUrl) => ({ httpUrl }), (variable) => `$${variable}`)),
  },
};
