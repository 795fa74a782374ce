/**
 * Whom an address stands for, where limits count by address.
 *
 * @module
 */

/** 16-bit groups of an IPv6 address that tell its network: whoever has one address of it has all. */
const NETWORK_GROUPS = 4;

/**
 * The name under which an address is counted: an IPv4 address as it is, also where it comes as an IPv6 one
 * (`::ffff:192.0.2.1`); of IPv6 the first 64 bits, as that is the least that one customer is given. What is no address
 * stands for itself.
 */
export function addressGroup(address: string): string {
  const bare = address.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  if (!bare.includes(":")) return bare;
  const groups = groupsOf(bare);
  if (groups === null) return bare;
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (mapped) {
    const [high = 0, low = 0] = groups.slice(6);
    return [high >> 8, high & 255, low >> 8, low & 255].join(".");
  }
  // Its network is that of addresses which are given to nobody.
  if (groups.slice(0, 7).every((group) => group === 0)) return groups[7] === 1 ? LOOPBACK_V6 : bare;
  return `${groups.slice(0, NETWORK_GROUPS).map((group) => group.toString(16)).join(":")}::/64`;
}

const LOOPBACK_V6 = "::1";

/** Whether a name of `addressGroup` is this machine. */
export function isThisMachine(group: string): boolean {
  return group === LOOPBACK_V6 || /^127(\.\d{1,3}){3}$/.test(group);
}

/** The eight groups of an IPv6 address; null where it is none. */
function groupsOf(address: string): number[] | null {
  const dotted = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(address);
  let text = address;
  if (dotted) {
    const [a = 0, b = 0, c = 0, d = 0] = dotted.slice(2).map(Number);
    text = `${dotted[1]}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  }
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const parts = (side: string) => side === "" ? [] : side.split(":");
  const [before, after] = [parts(head), parts(tail ?? "")];
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const all = [...before, ...new Array<string>(missing).fill("0"), ...after];
  if (!all.every((group) => /^[0-9a-f]{1,4}$/.test(group))) return null;
  return all.map((group) => Number.parseInt(group, 16));
}
