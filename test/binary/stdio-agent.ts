/**
 * The MCP package's own client at the standard input and output of a program, as a configuration names it.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/stdio"
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";

export async function stdioAgent(entry: { command: string; args: string[] }): Promise<Client> {
  const client = new Client({ name: "test", version: "0" });
  const transport = new StdioClientTransport({ ...entry, stderr: "pipe" });
  let stderr = "";
  transport.stderr?.on("data", (text) => void (stderr += String(text)));
  try {
    await client.connect(transport, { timeout: 60_000 });
  } catch (cause) {
    await transport.close();
    throw new Error(`Cannot speak to "${entry.command}": ${stderr}`, { cause });
  }
  return client;
}
