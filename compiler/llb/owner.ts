// `user:group` as written in a config, read as client/llb reads it.
import type { Chown, Owner } from "../graph/vertex.ts";

/** `root` and numbers are ids, all else names that the daemon looks up; without a colon the group is left as it is. */
export function parseOwner(text: string): Chown {
  const colon = text.indexOf(":");
  if (colon < 0) return { user: toOwner(text) };
  return { user: toOwner(text.slice(0, colon)), group: toOwner(text.slice(colon + 1)) };
}

function toOwner(text: string): Owner {
  if (text === "root") return { id: 0 };
  const id = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  // Negative ids wrap around, as they do in the daemon: -1 is 4294967295.
  return id >= -0x80000000 && id <= 0x7fffffff ? { id: id >>> 0 } : { name: text };
}
