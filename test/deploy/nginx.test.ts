/**
 * deploy/nginx: read by nginx, and a real nginx that runs with it.
 */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { makeAuthority, makeFiles } from "../support/certificates.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { freePort } from "../support/serve-process.ts";
import { type Proxy, type ProxyParts, runProxy, testProxy } from "./proxied.ts";

const shipped = await readFile(
  fileURLToPath(new URL("../../deploy/nginx/mcp-realtime.conf", import.meta.url)),
  "utf8",
);
const program = ["nginx", "/usr/sbin/nginx"].find((path) => spawnSync(path, ["-v"]).status === 0);
const isHere = requireOrSkip("nginx", program !== undefined, "apt-get install nginx-light");

/** A text in which each of some parts stands, and is replaced by another. */
function replaced(text: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((result, [from, to]) => {
    if (!result.includes(from)) throw new Error(`Expected '${from}' in deploy/nginx/mcp-realtime.conf`);
    return result.replaceAll(from, to);
  }, text);
}

/** The whole configuration of an nginx that keeps to a folder, in the foreground. */
async function configured(folder: string, site: string): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "site.conf"), site);
  const kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) =>
    `  ${what}_temp_path ${join(folder, what)};`
  );
  const main = [
    ...process.getuid?.() === 0 ? ["user root;"] : [],
    "daemon off;",
    "worker_processes 1;",
    `pid ${join(folder, "nginx.pid")};`,
    "error_log stderr warn;",
    "events { worker_connections 256; }",
    "http {",
    "  access_log off;",
    ...kept,
    `  include ${join(folder, "site.conf")};`,
    "}",
  ];
  await writeFile(join(folder, "nginx.conf"), main.join("\n"));
  return [program!, "-p", folder, "-e", "stderr", "-c", join(folder, "nginx.conf")];
}

describe.runIf(isHere)("deploy/nginx/mcp-realtime.conf", { timeout: 60_000 }, () => {
  it("passes nginx -t with a certificate in its place, and names the port of every service", async () => {
    const files = await makeFiles();
    try {
      const pair = await files.store("site", await (await makeAuthority()).issue());
      const site = replaced(shipped, {
        "/etc/nginx/tls/example.org.pem": pair.cert_file,
        "/etc/nginx/tls/example.org.key": pair.key_file,
      });
      const [nginx, ...args] = await configured(join(files.folder, "check"), site);
      const { status, stderr } = spawnSync(nginx!, [...args, "-t"], { encoding: "utf8" });
      expect(stderr).not.toMatch(/warn|emerg/);
      expect(stderr).toContain("test is successful");
      expect(status).toBe(0);
    } finally {
      await files.remove();
    }
    for (const [name, { http }] of Object.entries(SERVICE_PORTS)) {
      const group = name.replaceAll("-", "_");
      expect(shipped).toContain(`${name}.example.org ${group};`);
      expect(shipped).toMatch(new RegExp(`upstream ${group} \\{\\s+server 127\\.0\\.0\\.1:${http};`));
    }
  });
});

async function startNginx({ folder, upstream }: ProxyParts): Promise<Proxy> {
  const files = await makeFiles();
  const authority = await makeAuthority();
  const host = "session-buddy.example.org";
  const pair = await files.store("site", await authority.issue({ hosts: [host] }));
  const [plain, encrypted, redirecting] = [await freePort(), await freePort(), await freePort()];
  const site = replaced(shipped, {
    "/etc/nginx/tls/example.org.pem": pair.cert_file,
    "/etc/nginx/tls/example.org.key": pair.key_file,
    "listen 443 ssl http2;": `listen 127.0.0.1:${encrypted} ssl http2; listen 127.0.0.1:${plain};`,
    "listen 80;": `listen 127.0.0.1:${redirecting};`,
    // An address that needs no name service.
    'default "";\n': 'default "";\n    127.0.0.1 session_buddy;\n',
    "server 127.0.0.1:8678;": `server ${upstream};`,
  });
  const http = `http://127.0.0.1:${plain}`;
  const stop = await runProxy(
    await configured(join(folder, "nginx"), site),
    { folder },
    async () => (await get(`${http}/health`)).status === 200,
  );
  expect((await get(`http://127.0.0.1:${redirecting}/ready?a=b`)).headers.location).toBe(
    "https://127.0.0.1/ready?a=b",
  );
  expect((await get(`${http}/health`, { host: "nobody.example.org" })).status).toBe(421);
  return {
    http,
    tls: {
      url: `https://127.0.0.1:${encrypted}`,
      ca: authority.cert,
      host,
    },
    async stop() {
      await stop();
      await files.remove();
    },
  };
}

testProxy("nginx with deploy/nginx/mcp-realtime.conf", isHere, startNginx);
