/**
 * Nothing outside of what the settings allow is read or written, whatever path or name a request brings.
 *
 * @module
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstat, readdir, readFile, readlink, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Attacker, each } from "./attacker.ts";
import { goodData, requestsOf } from "./request-fields.ts";
import { SECRET_MARK, type Target } from "./target.ts";

const AT_ONCE = 3;
/** On one connection: not more than it may send at once. */
const FRAMES_AT_ONCE = 100;

/**
 * Fields of requests that name a file or a folder, or sound as if they did. A new one belongs here, with a thought about
 * what it may reach.
 */
const FILE_FIELDS: Record<string, readonly string[]> = {
  "session-buddy": ["start_session.working_directory"],
  crackerjack: ["report_coverage.path"],
  dhruva: ["store_adapter.factory_path"],
};
const SOUNDS_LIKE_A_FILE = /path|file(?!s$)|folder|director|dir$|url|uri|location/;

function hostilePaths(folder: string): string[] {
  return [
    "../../outside/secret.xml",
    "../../../../../../../../../../etc/passwd",
    "..",
    ".",
    "/",
    "./../../outside/secret.xml",
    "sub/../../../outside/secret.xml",
    `${folder}/outside/secret.xml`,
    `${folder}/projects/shop/../../outside/secret.xml`,
    "link.xml",
    "way-out/secret.xml",
    "way-out",
    "linked",
    "../outside/secret",
    "way-out/secret",
    "pipe.xml",
    "zero.xml",
    "/dev/zero",
    "/dev/stdin",
    "/dev/tty",
    ...["environ", "fd/0", "root/etc/passwd"].map((name) => `/proc/self/${name}`),
    "file:///etc/passwd",
    `file://${folder}/outside/secret.xml`,
    "http://127.0.0.1:1/",
    "\\\\server\\share\\secret.xml",
    "..\\..\\outside\\secret.xml",
    "C:\\Windows\\win.ini",
    "coverage.xml\u0000",
    "\u0000",
    "../../outside/secret.xml\u0000.xml",
    "%2e%2e/%2e%2e/outside/secret.xml",
    "..%2f..%2foutside%2fsecret.xml",
    "%00",
    "．．/．．/outside/secret.xml",
    "~/.ssh/id_rsa",
    "$HOME/secret",
    "`touch pwned`",
    "$(touch pwned)",
    "-rf",
    "--upload-pack=touch pwned",
    "CON",
    "a/".repeat(1_000),
    "x".repeat(4_000),
    "../".repeat(1_000),
  ];
}

export function pathAttacks(target: () => Target): void {
  describe("paths", () => {
    it("of every request that names a file are known here", () => {
      for (const { name, contract } of target().services) {
        const found = requestsOf(contract).flatMap(({ request, names }) =>
          names.filter((field) => SOUNDS_LIKE_A_FILE.test(field)).map((field) => `${request}.${field}`)
        );
        expect(found, name).toEqual(FILE_FIELDS[name] ?? []);
      }
    });

    it("in every field that takes a text lead nowhere, and nothing waits for them", async () => {
      const { folder } = target();
      const shop = join(folder, "projects/shop");
      execFileSync("mkfifo", [join(shop, "pipe.xml")]);
      await symlink("/dev/zero", join(shop, "zero.xml"));
      const before = await contentsOf(folder);
      const failures: string[] = [];
      let tried = 0;
      await each(target().services, AT_ONCE, async (service) => {
        const token = await target().token("insider", [`${service.name}:admin`]);
        const attacker = new Attacker("127.0.90.1", token);
        const all = requestsOf(service.contract).flatMap((fields) =>
          Object.entries(fields.fields).flatMap(([field, shape]) =>
            shape !== "text" && shape !== "texts" ? [] : hostilePaths(folder).map((path) => ({
              request: fields.request,
              data: { ...goodData(fields), [field]: shape === "text" ? path : [path] },
            }))
          )
        );
        for (let from = 0; from < all.length; from += FRAMES_AT_ONCE) {
          const client = await attacker.connect(service.websocket);
          await Promise.all(
            all.slice(from, from + FRAMES_AT_ONCE).map(async ({ request, data }) => {
              tried++;
              const answer = await client.request(request, data);
              const text = JSON.stringify(answer);
              const isRead = request === "report_coverage" && answer.type === "response";
              if (
                isRead || answer.error_code === "SERVER_ERROR" || text.includes(SECRET_MARK) ||
                text.includes("root:")
              ) {
                failures.push(
                  `${service.name}.${request} ${JSON.stringify(data).slice(0, 200)}: ${text.slice(0, 300)}`,
                );
              }
            }),
          );
          await client.close();
        }
      });
      expect(failures).toEqual([]);
      expect(tried).toBeGreaterThan(2_000);
      expect(await contentsOf(folder)).toEqual(before);
    }, 120_000);

    it("inside are taken, those that lead out are refused and say so", async () => {
      const { folder } = target();
      const service = target().service("crackerjack");
      const writer = new Attacker("127.0.96.1", await target().token("insider", ["crackerjack:admin"]));
      const report = (path: string) => writer.ask(service, "report_coverage", { project: "shop", path });
      expect((await report("coverage.xml")).body).toMatchObject({ line_coverage: 90 });
      expect((await report("./way/../coverage.xml")).body).toMatchObject({ line_coverage: 90 });
      expect((await report(`${folder}/projects/shop/coverage.xml`)).body).toMatchObject({
        line_coverage: 90,
      });
      for (
        const path of [
          "../../outside/secret.xml",
          "link.xml",
          "way-out/secret.xml",
          "/etc/passwd",
          "zero.xml",
          "pipe.xml",
        ]
      ) {
        expect((await report(path)).status, path).toBeGreaterThanOrEqual(400);
      }
      for (const project of ["linked", "..", "../outside", "shop/../../outside", "way-out"]) {
        for (const request of ["run_tests", "check_quality", "report_coverage"]) {
          const { status } = await writer.ask(service, request, { project, path: "secret.xml" });
          expect(status, `${request} ${project}`).toBeGreaterThanOrEqual(400);
        }
      }
      const weaver = target().service("mahavishnu");
      const runner = new Attacker("127.0.96.2", await target().token("insider", ["mahavishnu:admin"]));
      for (
        const definition of [
          "linked",
          "way-out/secret",
          "../outside/secret",
          "good.yaml",
          `${folder}/outside/secret`,
        ]
      ) {
        expect((await runner.ask(weaver, "run_workflow", { definition })).status, definition)
          .toBeGreaterThanOrEqual(400);
      }
      const { definitions } = (await runner.ask(weaver, "list_definitions")).body;
      expect(JSON.stringify(definitions)).not.toContain("leak");
    });

    it("of blobs and of what is delivered stay where they belong", async () => {
      const { folder } = target();
      const service = target().service("dhruva");
      const admin = new Attacker("127.0.96.3", await target().token("insider", ["dhruva:admin"]));
      const wrong = [
        "..",
        "../../outside/x",
        "..%2f..%2foutside%2fx",
        "%2e%2e%2fx",
        "a".repeat(63),
        "A".repeat(64),
        `${"a".repeat(64)}%00`,
        "%2fetc%2fpasswd",
        `${"a".repeat(64)}/..`,
      ];
      for (const name of wrong) {
        for (const method of ["PUT", "GET"]) {
          const { status } = await admin.http(`${service.http}/api/blobs/${name}`, {
            method,
            ...(method === "PUT" ? { body: "x" } : {}),
          });
          expect([400, 403, 404], `${method} ${name}: ${status}`).toContain(status);
        }
      }
      const store = (data: object) =>
        admin.ask(service, "store_adapter", {
          domain: "a",
          key: "b",
          provider: "c",
          version: "1.0",
          content: "good",
          ...data,
        });
      for (const field of ["domain", "key", "provider", "version"]) {
        for (const value of ["..", "../x", "/x", ".hidden", "a/b", "a\\b", "a\u0000", "", "x".repeat(65)]) {
          expect((await store({ [field]: value })).status, `${field} ${JSON.stringify(value)}`).toBe(400);
        }
      }
      expect((await store({ key: "delivered" })).status).toBe(200);
      for (
        const name of [
          "../outside",
          "/tmp",
          "shelf/../outside",
          "file:///tmp",
          "http://127.0.0.1:1/",
          "client:../x",
          "__proto__",
        ]
      ) {
        const data = { adapter_id: "a:delivered:c", targets: [name] };
        expect((await admin.ask(service, "distribute_adapter", data)).status, name).toBeGreaterThanOrEqual(
          400,
        );
      }
      const sent = await admin.ask(service, "distribute_adapter", {
        adapter_id: "a:delivered:c",
        targets: ["shelf"],
      });
      const { distribution_id } = sent.body;
      await expect.poll(
        async () => (await admin.ask(service, "get_distribution_status", { distribution_id })).body.status,
        { timeout: 30_000 },
      ).toBe("acknowledged");
      expect(await readFile(join(folder, "shelf/a/delivered/c/1.0"), "utf8")).toBe("good");
    });
  });
}

/** Every file with a sum of what it holds, but for what the services are to write. */
async function contentsOf(folder: string): Promise<Record<string, string>> {
  const contents: Record<string, string> = {};
  for (const name of await readdir(folder, { recursive: true })) {
    if (/^(data|shelf)(\/|$)/.test(name)) continue;
    const path = join(folder, name);
    const facts = await lstat(path);
    if (facts.isSymbolicLink()) contents[name] = `link to ${await readlink(path)}`;
    else if (facts.isFile()) contents[name] = createHash("sha256").update(await readFile(path)).digest("hex");
    else contents[name] = facts.isDirectory() ? "folder" : "other";
  }
  return contents;
}
