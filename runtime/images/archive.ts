// Reads a tar archive (also gzipped) into a staging directory. Names in it are keys of a map and never become paths on disk.
import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { posix } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract } from "tar-stream";
import { inputError, UserError } from "../../compiler/diagnostic.ts";
import type { Staged, Staging } from "./blobs.ts";
import { broken } from "./oci.ts";

/** The regular files of an archive, staged. Links are followed inside the archive only. */
export interface Archive {
  file(name: string): Staged | undefined;
}

type Compression = "none" | "gzip" | "xz" | "zstd" | "bzip2";

const magic: readonly (readonly [Compression, string])[] = [
  ["gzip", "1f8b"],
  ["xz", "fd377a585a00"],
  ["zstd", "28b52ffd"],
  ["bzip2", "425a68"],
];

// An image archive holds a few files for each layer; a million entries are a filesystem, or an attack.
const mostEntries = 100_000;
const mostLinks = 32;

/** How a file is compressed, by its first bytes. */
export async function compressionOf(file: string): Promise<Compression> {
  const handle = await open(file, "r");
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(6), 0, 6, 0);
    const start = buffer.subarray(0, bytesRead).toString("hex");
    return magic.find(([, bytes]) => start.startsWith(bytes))?.[0] ?? "none";
  } finally {
    await handle.close();
  }
}

/** Stages every regular file of the archive. Throws UserError when it is no tar archive, is cut short, or has a name with `..`. */
export async function readArchive(file: string, staging: Staging, signal?: AbortSignal): Promise<Archive> {
  const compression = await compressionOf(file);
  if (compression !== "none" && compression !== "gzip") {
    throw inputError({
      code: "image-compression",
      message: `${file} is compressed with ${compression}, which dagger does not read`,
      at: [],
      hint: `Decompress it first (${compression} -d)`,
    });
  }
  const files = new Map<string, Staged>();
  const links = new Map<string, string>();
  const tar = extract();
  const reading = pipeline(
    compression === "gzip" ? [createReadStream(file), createGunzip(), tar] : [createReadStream(file), tar],
    signal === undefined ? {} : { signal },
  );
  const staged = (async () => {
    let count = 0;
    for await (const entry of tar) {
      if (++count > mostEntries) throw broken(file, `it has more than ${String(mostEntries)} entries, so it is not an image archive`);
      const { type, linkname } = entry.header;
      const name = inside(entry.header.name, file);
      if (type === "symlink") links.set(name, inside(posix.join(posix.dirname(name), linkname ?? ""), file));
      else if (type === "link") links.set(name, inside(linkname ?? "", file));
      // The last entry of a name wins, as in tar.
      else if (type === "file" || type === "contiguous-file")
        files.set(name, await staging.write(entry as AsyncIterable<Uint8Array>, signal));
      entry.resume();
    }
  })();
  try {
    await Promise.all([reading, staged]);
  } catch (error) {
    tar.destroy();
    await Promise.allSettled([reading, staged]);
    throw explain(file, error);
  }
  return { file: (name) => follow(files, links, posix.normalize(name)) };
}

function follow(files: ReadonlyMap<string, Staged>, links: ReadonlyMap<string, string>, name: string): Staged | undefined {
  let at = name;
  for (let hops = 0; hops < mostLinks; hops++) {
    const found = files.get(at);
    if (found !== undefined) return found;
    const next = links.get(at);
    if (next === undefined) return undefined;
    at = next;
  }
  return undefined;
}

function inside(name: string, file: string): string {
  const path = posix
    .normalize(name)
    .replace(/^(\.?\/)+/, "")
    .replace(/\/$/, "");
  if (path === ".." || path.startsWith("../") || name.startsWith("/")) {
    throw inputError({ code: "image-hostile", message: `${file} has an entry that leaves the archive: ${JSON.stringify(name)}`, at: [] });
  }
  return path;
}

// Errors of the parser and of gunzip are about the archive; those of the disk are not.
function explain(file: string, error: unknown): unknown {
  if (error instanceof UserError || !(error instanceof Error) || error.name === "AbortError") return error;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return code.startsWith("E") && !code.startsWith("ERR_") ? error : broken(file, `it is not a whole tar archive (${error.message})`);
}
