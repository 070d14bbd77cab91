// Writes a directory as the bytes of a tar archive: the same tree always gives the same bytes.
import type { BigIntStats } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { inputError } from "../../compiler/diagnostic.ts";

// Paths are kept as latin1 strings, one character per byte: Linux names are bytes, not always UTF-8, and this sorts them by byte.
type BytePath = string;

/** What was packed, filled in while the bytes are read. */
export interface Packed {
  entries: number;
  /** Paths of sockets, which no archive can hold. */
  readonly skipped: string[];
}

const block = 512;
const readSize = 1 << 20;

/**
 * The archive of everything below `root`: sorted by name, with owner, mode and time (to the second) kept, and hard links,
 * symlinks, fifos and devices as such. The root directory itself has no entry: its mode is that of a directory on this machine
 * and says nothing about the image. Extended attributes are not read: Node cannot.
 */
export async function* packDirectory(root: string, packed: Packed): AsyncGenerator<Uint8Array> {
  const base = Buffer.from(root).toString("latin1");
  const device = (await lstat(root, { bigint: true })).dev;
  const links = new Map<string, BytePath>();
  yield* packEntries({ base, root, device, links, packed }, "");
  yield Buffer.alloc(2 * block);
}

interface Walk {
  readonly base: BytePath;
  /** As the user gave it. */
  readonly root: string;
  readonly device: bigint;
  /** First path of each file that has several, by device and inode. */
  readonly links: Map<string, BytePath>;
  readonly packed: Packed;
}

async function* packEntries(walk: Walk, dir: BytePath): AsyncGenerator<Uint8Array> {
  const names = await readdir(bytes(join(walk.base, dir)), { encoding: "latin1" });
  for (const name of names.sort()) {
    const path = dir === "" ? name : `${dir}/${name}`;
    if (name.startsWith(".wh.")) {
      throw inputError({
        code: "image-whiteout",
        message: `${shown(walk, path)} cannot be in an image: a name that starts with .wh. removes files there`,
        at: [],
        hint: "Remove or rename it",
      });
    }
    const stats = await lstat(bytes(join(walk.base, path)), { bigint: true });
    if (stats.isSocket()) {
      walk.packed.skipped.push(text(path));
      continue;
    }
    walk.packed.entries++;
    yield* packEntry(walk, path, stats);
    if (stats.isDirectory()) yield* packEntries(walk, path);
  }
}

async function* packEntry(walk: Walk, path: BytePath, stats: BigIntStats): AsyncGenerator<Uint8Array> {
  if (stats.isDirectory()) {
    if (stats.dev !== walk.device) {
      throw inputError({
        code: "image-mounted",
        message: `${shown(walk, path)} is another filesystem, mounted inside the root directory`,
        at: [],
        hint: "Unmount it first (a live /proc, /sys or /dev does not belong in an image)",
      });
    }
    yield header({ path: `${path}/`, type: "5", stats });
    return;
  }
  const id = `${String(stats.dev)}:${String(stats.ino)}`;
  const first = stats.nlink > 1n ? walk.links.get(id) : undefined;
  if (first !== undefined) {
    yield header({ path, type: "1", stats, link: first });
    return;
  }
  if (stats.nlink > 1n) walk.links.set(id, path);
  if (stats.isSymbolicLink()) {
    yield header({ path, type: "2", stats, link: await readlink(bytes(join(walk.base, path)), "latin1") });
  } else if (stats.isFIFO()) yield header({ path, type: "6", stats });
  else if (stats.isCharacterDevice()) yield header({ path, type: "3", stats });
  else if (stats.isBlockDevice()) yield header({ path, type: "4", stats });
  else {
    yield header({ path, type: "0", stats, size: Number(stats.size) });
    yield* fileBytes(walk, path, Number(stats.size));
  }
}

async function* fileBytes(walk: Walk, path: BytePath, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(bytes(join(walk.base, path)), "r");
  try {
    let left = size;
    while (left > 0) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(Math.min(left, readSize)));
      if (bytesRead === 0) {
        const message = `${shown(walk, path)} changed while it was read`;
        throw inputError({ code: "image-source-changed", message, at: [], hint: "Import it again when nothing writes to it" });
      }
      left -= bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
  yield padding(size);
}

interface Header {
  readonly path: BytePath;
  readonly type: string;
  readonly stats: BigIntStats;
  readonly link?: BytePath;
  readonly size?: number;
}

// POSIX ustar; what does not fit its fields goes into a pax header before it.
function header({ path, type, stats, link = "", size = 0 }: Header): Uint8Array {
  const mtime = Number(stats.mtimeNs / 1_000_000_000n);
  const uid = Number(stats.uid);
  const gid = Number(stats.gid);
  const records: string[] = [];
  const fits = (value: BytePath): boolean => value.length <= 100 && !/[^\x20-\x7e]/.test(value);
  const number = (name: string, value: number, max: number): number => {
    if (value >= 0 && value <= max) return value;
    records.push(paxRecord(name, String(value)));
    return 0;
  };
  if (!fits(path)) records.push(paxRecord("path", path));
  if (!fits(link)) records.push(paxRecord("linkpath", link));
  const fields = {
    type,
    path: path.slice(0, 100),
    link: link.slice(0, 100),
    mode: Number(stats.mode) & 0o7777,
    uid: number("uid", uid, 0o7777777),
    gid: number("gid", gid, 0o7777777),
    size: number("size", size, 0o77777777777),
    mtime: number("mtime", mtime, 0o77777777777),
    device: type === "3" || type === "4" ? stats.rdev : 0n,
  };
  if (records.length === 0) return ustar(fields);
  const pax = Buffer.from(records.join(""), "latin1");
  const paxFields = {
    ...fields,
    type: "x",
    path: "PaxHeader",
    link: "",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    size: pax.length,
    device: 0n,
  };
  return Buffer.concat([ustar(paxFields), pax, padding(pax.length), ustar(fields)]);
}

interface Fields {
  readonly path: BytePath;
  readonly link: BytePath;
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
  readonly device: bigint;
}

function ustar(fields: Fields): Buffer {
  const out = Buffer.alloc(block);
  const octal = (value: number, offset: number, length: number): void => {
    out.write(`${value.toString(8).padStart(length - 1, "0")}\0`, offset, "latin1");
  };
  out.write(fields.path, 0, "latin1");
  octal(fields.mode, 100, 8);
  octal(fields.uid, 108, 8);
  octal(fields.gid, 116, 8);
  octal(fields.size, 124, 12);
  octal(fields.mtime, 136, 12);
  out.write("        ", 148, "latin1");
  out.write(fields.type, 156, "latin1");
  out.write(fields.link, 157, "latin1");
  out.write("ustar\x0000", 257, "latin1");
  // How Linux packs a device number in stat.
  octal(Number(((fields.device >> 8n) & 0xfffn) | ((fields.device >> 32n) & ~0xfffn)), 329, 8);
  octal(Number((fields.device & 0xffn) | ((fields.device >> 12n) & 0xffffff00n)), 337, 8);
  const sum = out.reduce((total, byte) => total + byte, 0);
  out.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return out;
}

// "LENGTH KEY=VALUE\n", where the length counts its own digits.
function paxRecord(key: string, value: BytePath): BytePath {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${String(length)}${rest}`;
}

function padding(size: number): Uint8Array {
  return Buffer.alloc((block - (size % block)) % block);
}

function join(base: BytePath, path: BytePath): BytePath {
  return path === "" ? base : `${base}/${path}`;
}

function bytes(path: BytePath): Buffer {
  return Buffer.from(path, "latin1");
}

function text(path: BytePath): string {
  return bytes(path).toString("utf8");
}

function shown(walk: Walk, path: BytePath): string {
  return `${walk.root}/${text(path)}`;
}
