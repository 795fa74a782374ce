/**
 * The office of `test/server/presence-service.ts` on the database that the first argument names. Prints its WebSocket
 * address. To be killed.
 *
 * @module
 */
import process from "node:process";
import { startOffice } from "../server/presence-service.ts";

const server = await startOffice({ settings: { storage: { path: process.argv[2]! } } });
console.log(JSON.stringify({ url: `ws://127.0.0.1:${server.port}` }));
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
