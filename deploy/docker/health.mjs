// Exit code 0 where the service of this container answers /health on its HTTP port, 1 where it does not.
import { request as requestPlainly } from "node:http";
import { request as requestByTls } from "node:https";
import { env, exit } from "node:process";

const TIMEOUT_MS = 4_000;

// There in the image only, which this file lies in beside the build.
const { SERVICE_PORTS } = await import(new URL("dist/src/protocol/service-ports.js", import.meta.url).href);

const service = env.SERVICE ?? "session-buddy";
const prefix = service.toUpperCase().replaceAll("-", "_");
const port = env[`${prefix}_HTTP_PORT`] || SERVICE_PORTS[service]?.http;
const isEncrypted = Boolean(env[`${prefix}_WS_CERT_FILE`] || env[`${prefix}_CERT_FILE`]);

/** @param {string} reason @returns {never} */
function fail(reason) {
  console.error(`${service} on port ${port}: ${reason}`);
  exit(1);
}

if (port === undefined) fail(`expected SERVICE to be one of ${Object.keys(SERVICE_PORTS).join(", ")}`);

const ask = isEncrypted ? requestByTls : requestPlainly;
// Whether the certificate is one for this address is for clients to judge: this asks its own machine.
const options = { host: "127.0.0.1", port, path: "/health", timeout: TIMEOUT_MS, rejectUnauthorized: false };
const asked = ask(options, (answer) => {
  if (answer.statusCode !== 200) fail(`expected status 200, got ${answer.statusCode}`);
  exit(0);
});
asked.on("timeout", () => fail(`expected an answer within ${TIMEOUT_MS / 1_000} seconds, got none`));
asked.on("error", (error) => fail(error.message));
asked.end();
