import { describe, expect, test } from "vitest";
import { addressGroup, isThisMachine } from "../../src/limits/address.ts";

describe("addressGroup", () => {
  test.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["::FFFF:192.0.2.1", "192.0.2.1"],
    ["::ffff:c000:201", "192.0.2.1"],
    ["0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"],
    ["::ffff:127.0.0.1", "127.0.0.1"],
    ["::1", "::1"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["[::1]", "::1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:DB8:0001:0002::6", "2001:db8:1:2::/64"],
    ["2001:db8::", "2001:db8:0:0::/64"],
    ["fe80::1%eth0", "fe80:0:0:0::/64"],
    ["::ffff:0:1", "0.0.0.1"],
    ["", ""],
    ["/run/socket", "/run/socket"],
    ["1:2:3", "1:2:3"],
    ["1::2::3", "1::2::3"],
    ["1:2:3:4:5:6:7:8::", "1:2:3:4:5:6:7:8::"],
    ["x::1", "x::1"],
  ])("counts %s as %s", (address, group) => {
    expect(addressGroup(address)).toBe(group);
  });

  test("two addresses of one network of 64 bits are one, of two networks two", () => {
    expect(addressGroup("2001:db8:1:2:ffff::1")).toBe(addressGroup("2001:db8:1:2::9"));
    expect(addressGroup("2001:db8:1:3::9")).not.toBe(addressGroup("2001:db8:1:2::9"));
  });
});

describe("isThisMachine", () => {
  test.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])("takes %s for this machine", (address) => {
    expect(isThisMachine(addressGroup(address))).toBe(true);
  });

  test.each(["128.0.0.1", "192.0.2.127", "2001:db8::1", "::2", "::", "127.evil.example", "::ffff:1.2.3.4"])(
    "does not take %s for it",
    (address) => {
      expect(isThisMachine(addressGroup(address))).toBe(false);
    },
  );
});
