import { CompactSign } from "jose";
import { describe, expect, test } from "vitest";
import { mayAccess, mayJoin, qualified } from "../../src/auth/permissions.ts";
import { createVerifier } from "../../src/auth/token.ts";
import { ANONYMOUS, type Identity, localCall } from "../../src/ports/call.ts";
import { systemClock } from "../../src/ports/clock.ts";
import type { Access } from "../../src/protocol/contract.ts";

const ALL: Access[] = ["read", "write", "run", "admin"];

function user(...permissions: string[]): Identity {
  return { userId: "ada", permissions, authenticated: true };
}

function allowed(identity: Identity, service: string): Access[] {
  return ALL.filter((access) => mayAccess(identity, service, access, true));
}

describe("mayAccess", () => {
  test("mayAccess allows everything to everybody while authentication is off", () => {
    for (const access of ALL) {
      expect(mayAccess(ANONYMOUS, "akosha", access, false)).toBe(true);
      expect(mayAccess(user(), "akosha", access, false)).toBe(true);
    }
  });

  test("mayAccess denies by default", () => {
    expect(allowed(ANONYMOUS, "akosha")).toEqual([]);
    expect(allowed({ userId: null, permissions: ["admin"], authenticated: false }, "akosha")).toEqual([]);
    const useless = [
      "",
      ":",
      "akosha",
      "akosha:",
      "akosha:delete",
      "akosha:readx",
      "xakosha:read",
      "akosha:akosha:read",
    ];
    for (const name of [...useless, "constructor", "__proto__", "akosha:toString", "delete", "AKOSHA:READ"]) {
      expect(allowed(user(name), "akosha"), name).toEqual([]);
    }
  });

  test("mayAccess keeps read, write and run apart", () => {
    for (const access of ["read", "write", "run"] as const) {
      expect(allowed(user(`mahavishnu:${access}`), "mahavishnu")).toEqual([access]);
    }
    expect(allowed(user("mahavishnu:read", "mahavishnu:write", "mahavishnu:run"), "mahavishnu"))
      .toEqual(["read", "write", "run"]);
  });

  test("mayAccess allows all to admin, the service's or the general one", () => {
    for (const service of ["excalidraw", "session-buddy", "my-own"]) {
      expect(allowed(user("admin"), service)).toEqual(ALL);
      expect(allowed(user(`${service}:admin`), service)).toEqual(ALL);
    }
    expect(allowed(localCall().identity, "akosha")).toEqual(ALL);
  });

  test("mayAccess takes plain names for the service's own", () => {
    for (const access of ["read", "write", "run"] as const) {
      expect(allowed(user(access), "crackerjack")).toEqual([access]);
    }
  });

  test("mayAccess takes no permission of another service", () => {
    expect(allowed(user("akosha:admin", "dhruva:read", "workflow:read"), "session-buddy")).toEqual([]);
  });

  test("mayAccess knows the names of existing mahavishnu tokens", () => {
    for (const name of ["workflow:read", "pool:read", "worker:read", "team:read"]) {
      expect(allowed(user(name), "mahavishnu")).toEqual(["read"]);
    }
    expect(allowed(user("workflow:write", "workflow:admin"), "mahavishnu")).toEqual([]);
  });

  test("mayAccess lets tokens read that crackerjack's own helper makes: scope read, and no end", async () => {
    const secret = "a secret of this test";
    const claims = { sub: "ada", iss: "crackerjack", aud: "crackerjack", scopes: ["read"] };
    const token = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .sign(new TextEncoder().encode(secret));
    const held = async (service: string) => {
      const verified = await createVerifier({ secret, service, clock: systemClock })(token);
      return verified.ok ? allowed(verified.identity, service) : verified.reason;
    };
    expect(await held("crackerjack")).toEqual(["read"]);
    expect(await held("akosha")).toBe("invalid");
  });

  test("mayAccess answers each of several services for itself", () => {
    const identity = user("akosha:read", "dhruva:write");
    for (let round = 0; round < 3; round++) {
      expect(allowed(identity, "akosha")).toEqual(["read"]);
      expect(allowed(identity, "dhruva")).toEqual(["write"]);
      expect(allowed(identity, "excalidraw")).toEqual([]);
    }
  });
});

describe("mayJoin", () => {
  test("mayJoin opens every channel while authentication is off", () => {
    expect(mayJoin(ANONYMOUS, "akosha", "patterns", false)).toBe(true);
    expect(mayJoin(ANONYMOUS, "akosha", "global", false)).toBe(true);
  });

  test("mayJoin asks for read, and for any permission where the channel is global", () => {
    expect(mayJoin(user("akosha:read"), "akosha", "patterns", true)).toBe(true);
    expect(mayJoin(user("akosha:write"), "akosha", "patterns", true)).toBe(false);
    for (const name of ["read", "akosha:write", "akosha:run", "akosha:admin", "admin"]) {
      expect(mayJoin(user(name), "akosha", "global", true), name).toBe(true);
    }
    expect(mayJoin(user("admin"), "akosha", "patterns", true)).toBe(true);
    expect(mayJoin(user("dhruva:read", "akosha:delete"), "akosha", "global", true)).toBe(false);
    expect(mayJoin(user(), "akosha", "global", true)).toBe(false);
    expect(mayJoin(ANONYMOUS, "akosha", "global", true)).toBe(false);
  });
});

describe("qualified", () => {
  test("qualified makes plain names those of one service, and leaves others as they are", () => {
    for (
      const [name, said] of [["read", "akosha:read"], [" Admin ", "akosha:admin"], ["RUN", "akosha:run"]]
    ) {
      expect(qualified(name!, "akosha")).toBe(said);
      expect(allowed(user(qualified(name!, "akosha")), "dhruva")).toEqual([]);
    }
    for (const name of ["akosha:read", "dhruva:write", ":read", "*", "delete", "toString", ""]) {
      expect(qualified(name, "akosha")).toBe(name);
    }
  });
});
