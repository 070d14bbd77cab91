// IP addresses, written the one way that client/llb writes them.

/** The canonical text of an address; undefined when it is none. An IPv4 address inside an IPv6 one is written as IPv4. */
export function canonicalIp(text: string): string | undefined {
  if (isV4(text)) return text;
  const groups = parseV6(text);
  if (groups === undefined) return undefined;
  const [a, b] = [groups[6]!, groups[7]!];
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return [a >> 8, a & 255, b >> 8, b & 255].join(".");
  return formatV6(groups);
}

function isV4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/** Eight groups of 16 bits. */
function parseV6(text: string): number[] | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":")));
  const last = (tail ?? head)!;
  const v4 = last.at(-1);
  if (v4?.includes(".")) {
    if (!isV4(v4)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = v4.split(".").map(Number);
    last.splice(-1, 1, ((a << 8) | b).toString(16), ((c << 8) | d).toString(16));
  }
  const given = [...head!, ...(tail ?? [])];
  if (!given.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  if (tail === undefined ? given.length !== 8 : given.length > 7) return undefined;
  const zeros = Array.from({ length: 8 - given.length }, () => 0);
  const toNumbers = (list: readonly string[]): number[] => list.map((group) => Number.parseInt(group, 16));
  return [...toNumbers(head!), ...zeros, ...toNumbers(tail ?? [])];
}

/** The longest run of two or more zeros, the first of equal ones, becomes `::`. */
function formatV6(groups: readonly number[]): string {
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const join = (list: readonly number[]): string => list.map((group) => group.toString(16)).join(":");
  if (best.start < 0) return join(groups);
  return `${join(groups.slice(0, best.start))}::${join(groups.slice(best.start + best.length))}`;
}
