// Writes zip archives byte by byte, so that tests can have what no honest program writes: links, false sizes, names that lead elsewhere.
import { crc32 } from "node:zlib";

export interface ZipEntry {
  readonly name: string;
  readonly data?: Buffer | string;
  /** Bytes as they lie in the archive, where they are packed (method 8); `size` is then what they unpack to. */
  readonly packed?: Buffer;
  /** What the archive says the size is; the real one when it is left out. */
  readonly size?: number;
  /** Unix mode, e.g. 0o120777 for a link. */
  readonly mode?: number;
  readonly encrypted?: boolean;
  /** Number of the compression method. */
  readonly method?: number;
}

/** `count` is how many entries the end of the archive speaks of. */
export function makeZip(entries: readonly ZipEntry[], count: number = entries.length): Buffer {
  const [files, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const entry of entries) {
    const name = Buffer.from(entry.name);
    const data = Buffer.from(entry.data ?? "");
    const stored = entry.packed ?? data;
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x800 | (entry.encrypted ? 1 : 0), 2);
    common.writeUInt16LE(entry.method ?? (entry.packed ? 8 : 0), 4);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(stored.length, 14);
    common.writeUInt32LE(entry.size ?? data.length, 18);
    common.writeUInt16LE(name.length, 22);
    const file = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, stored]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(((entry.mode ?? 0o100644) << 16) >>> 0, 6);
    rest.writeUInt32LE(offset, 10);
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02"), Buffer.from([20, 3]), common, rest, name]));
    files.push(file);
    offset += file.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...files, list, end]);
}
