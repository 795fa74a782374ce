/**
 * Clients in a process of its own, which trusts the certificates that its environment names (`NODE_EXTRA_CA_CERTS`,
 * `DENO_CERT`). Its arguments are the addresses of WebSocket and MCP; it prints what it was answered there.
 *
 * @module
 */
import { createClient } from "../../src/client/node.ts";
import { connectClient } from "../mcp/mcp-client.ts";

const [websocket = "", mcp = ""] = process.argv.slice(2);
const client = createClient({ url: websocket, timeoutMs: 20_000 });
const status = await client.request("get_status", {});
const agent = await connectClient(mcp);
const { structuredContent } = await agent.call("websocket_status");
await agent.client.close();
client.close();
console.log(JSON.stringify({ status, tool: structuredContent }));
process.exit(0);
