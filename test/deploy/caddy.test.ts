/**
 * deploy/caddy: read by Caddy, and a real Caddy that runs with it.
 */
import { spawnSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { SERVICE_PORTS } from "../../src/protocol/service-ports.ts";
import { makeFiles } from "../support/certificates.ts";
import { get } from "../support/http-client.ts";
import { requireOrSkip } from "../support/require.ts";
import { freePort } from "../support/serve-process.ts";
import { type Proxy, type ProxyParts, runProxy, testProxy } from "./proxied.ts";

const shipped = fileURLToPath(new URL("../../deploy/caddy/Caddyfile", import.meta.url));
const isHere = requireOrSkip("Caddy", spawnSync("caddy", ["version"]).status === 0, "apt-get install caddy");

/** Where Caddy keeps what it makes, instead of in the home of whoever runs this. */
const homes = (folder: string) => ({
  HOME: folder,
  XDG_DATA_HOME: join(folder, "data"),
  XDG_CONFIG_HOME: join(folder, "config"),
});

describe.runIf(isHere)("deploy/caddy/Caddyfile", { timeout: 60_000 }, () => {
  it("passes caddy validate as it is, and names the port of every service", async () => {
    const files = await makeFiles();
    try {
      const { status, stderr } = spawnSync(
        "caddy",
        ["validate", "--adapter", "caddyfile", "--config", shipped],
        { encoding: "utf8", env: { ...process.env, ...homes(files.folder) } },
      );
      expect(stderr).not.toMatch(/not formatted|"level":"error"/);
      expect(status, stderr).toBe(0);
    } finally {
      await files.remove();
    }
    const text = await readFile(shipped, "utf8");
    for (const [name, { http }] of Object.entries(SERVICE_PORTS)) {
      const prefix = name.toUpperCase().replaceAll("-", "_");
      expect(text).toContain(`{$${prefix}_SITE:${name}.example.org} {`);
      expect(text).toContain(`{$${prefix}_UPSTREAM:127.0.0.1:${http}}`);
    }
  });
});

async function startCaddy({ folder, upstream }: ProxyParts): Promise<Proxy> {
  const home = join(folder, "caddy");
  await mkdir(home);
  // Certificates by an authority of its own, kept here, and nothing open to others.
  const own = [
    "admin off",
    "local_certs",
    "skip_install_trust",
    "auto_https disable_redirects",
    "default_bind 127.0.0.1",
    "grace_period 1s",
  ];
  const text = await readFile(shipped, "utf8");
  expect(text).toContain("\tgrace_period 10s\n");
  await writeFile(join(home, "Caddyfile"), text.replace("\tgrace_period 10s\n", `\t${own.join("\n\t")}\n`));
  const [plain, encrypted] = [await freePort(), await freePort()];
  const ports = await Promise.all(Object.keys(SERVICE_PORTS).map(() => freePort()));
  const sites = Object.fromEntries(
    Object.keys(SERVICE_PORTS).map((name, index) => [
      `${name.toUpperCase().replaceAll("-", "_")}_SITE`,
      `http://127.0.0.1:${ports[index]}`,
    ]),
  );
  const http = `http://127.0.0.1:${plain}`;
  const host = "session-buddy.example.org";
  const stop = await runProxy(
    ["caddy", "run", "--adapter", "caddyfile", "--config", join(home, "Caddyfile")],
    {
      folder: home,
      environment: {
        ...homes(home),
        ...sites,
        SESSION_BUDDY_SITE: `${http}, https://${host}:${encrypted}`,
        SESSION_BUDDY_UPSTREAM: upstream,
      },
    },
    async () => (await get(`${http}/health`)).status === 200,
  );
  const ca = await readFile(join(home, "data/caddy/pki/authorities/local/root.crt"), "utf8");
  return { http, tls: { url: `https://127.0.0.1:${encrypted}`, ca, host }, stop };
}

testProxy("Caddy with deploy/caddy/Caddyfile", isHere, startCaddy);
