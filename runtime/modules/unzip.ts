// Unpacks the zip of a module, under the rules that CUE has for them: nothing leaves the directory, nothing is larger than allowed.
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { damaged } from "./failure.ts";
import type { ModuleVersion } from "./version.ts";

const maxTotal = 500 << 20;
const maxSingle = 16 << 20;
/** More than any module has; the list of them is held in memory. */
const maxEntries = 100_000;

/** `dir` must not exist yet, or be empty. Throws UserError (3) `module-damaged`; what was unpacked until then stays. */
export async function unzip(file: string, dir: string, module: ModuleVersion): Promise<void> {
  let zip: ZipFile | undefined;
  try {
    zip = await open(file);
    if (zip.entryCount > maxEntries) throw new Error(`it has more than ${maxEntries} files`);
    const entries = await list(zip);
    check(entries);
    await mkdir(dir, { recursive: true });
    for (const entry of entries) {
      if (entry.fileName.endsWith("/")) continue;
      const target = path.join(dir, entry.fileName);
      await mkdir(path.dirname(target), { recursive: true });
      await pipeline(await read(zip, entry), createWriteStream(target, { flags: "wx", mode: 0o444 }));
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOSPC", "EACCES", "EROFS", "EDQUOT"].includes(String(error.code))) throw error;
    throw damaged(module, `its archive cannot be unpacked: ${(error as Error).message}`, error);
  } finally {
    zip?.close();
  }
}

/** All entries before any is written: a bad one is found while nothing is there yet. */
function check(entries: readonly Entry[]): void {
  const folded = new Map<string, string>();
  let total = 0;
  for (const { fileName, uncompressedSize, externalFileAttributes } of entries) {
    const name = fileName.replace(/\/$/, "");
    const bad = name
      .split("/")
      .find((element) => element === "" || /^\.+$/.test(element) || element.endsWith(".") || /[\0-\x1f"'*<>?`|\\:]/.test(element));
    if (bad !== undefined) throw new Error(`${JSON.stringify(fileName)} is not a file name that is allowed`);
    if (((externalFileAttributes >>> 16) & 0o170000) === 0o120000) throw new Error(`${name} is a link`);
    for (let part = name, leaf = !fileName.endsWith("/"); part !== "."; part = path.posix.dirname(part), leaf = false) {
      const key = part.toLowerCase();
      const seen = `${leaf ? "file" : "dir"} ${part}`;
      const other = folded.get(key);
      if (other !== undefined && (other !== seen || leaf))
        throw new Error(`${name} is there twice, or differs from another name only by case`);
      folded.set(key, seen);
    }
    total += uncompressedSize;
    if (total > maxTotal) throw new Error(`it unpacks to more than ${maxTotal} bytes`);
    if ((name === "cue.mod/module.cue" || name === "LICENSE") && uncompressedSize > maxSingle)
      throw new Error(`${name} is larger than ${maxSingle} bytes`);
    if (/(^|\/)cue\.mod\/module\.cue$/.test(name) && name !== "cue.mod/module.cue")
      throw new Error(`${name} belongs to another module inside this one`);
  }
  if (!folded.has("cue.mod/module.cue")) throw new Error("there is no cue.mod/module.cue");
}

function open(file: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(file, { lazyEntries: true, autoClose: false, strictFileNames: true, validateEntrySizes: true }, (error, zip) =>
      error ? reject(error) : resolve(zip),
    );
  });
}

function list(zip: ZipFile): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    zip.on("entry", (entry: Entry) => {
      entries.push(entry);
      zip.readEntry();
    });
    zip.once("end", () => resolve(entries));
    zip.once("error", reject);
    zip.readEntry();
  });
}

function read(zip: ZipFile, entry: Entry): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}
