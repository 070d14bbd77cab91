// The content of an image by digest, wherever it lies: in an OCI layout directory, or in an archive that was staged.
import { createHash } from "node:crypto";
import { readFileSync, type Stats, statSync } from "node:fs";
import { join } from "node:path";
import type { Archive } from "./archive.ts";
import { blobPath, damaged, type Staged, type Staging } from "./blobs.ts";
import { broken, type Descriptor, type Json, parseObject } from "./oci.ts";

/** Documents are a few kilobytes; more is no document. */
const largestDocument = 16 << 20;

/** Where the blobs of an OCI layout come from. `name` is for errors. */
export interface Content {
  readonly name: string;
  /** The bytes of index.json. */
  index(): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
  /** A small blob, with its digest checked. */
  document(descriptor: Descriptor): Promise<Buffer>;
  /** Any blob, in the staging directory, with its digest checked. */
  stage(descriptor: Descriptor): Promise<Staged>;
}

/** An OCI layout directory. `staging` is needed for `stage` only. */
export function directoryContent(dir: string, staging?: Staging, signal?: AbortSignal): Content {
  return {
    name: dir,
    index: () => smallFile(join(dir, "index.json"), join(dir, "index.json")),
    has: (digest) => isFile(blobPath(dir, digest)),
    async document({ digest }) {
      const data = await smallFile(blobPath(dir, digest), `${digest} in ${dir}`);
      checkContent(data, digest, dir);
      return data;
    },
    async stage({ digest }) {
      const file = blobPath(dir, digest);
      if (!(await isFile(file))) throw broken(dir, `the blob ${digest} is missing`);
      if (staging === undefined) throw new Error("a layout that is only read has no staging directory");
      return staging.copy(file, digest, signal);
    },
  };
}

/** An OCI layout inside an archive. */
export function archiveContent(name: string, archive: Archive): Content {
  const blob = (digest: string): Staged | undefined => archive.file(`blobs/${digest.replace(":", "/")}`);
  const checked = (digest: string): Staged => {
    const staged = blob(digest);
    if (staged === undefined) throw broken(name, `the blob ${digest} is missing`);
    if (staged.digest !== digest) throw damaged(`${digest} in ${name}`, digest, staged.digest);
    return staged;
  };
  return {
    name,
    async index() {
      const staged = archive.file("index.json");
      if (staged === undefined) throw broken(name, "it has no index.json");
      return smallFile(staged.file, `index.json in ${name}`);
    },
    has: (digest) => Promise.resolve(blob(digest) !== undefined),
    document: ({ digest }) => smallFile(checked(digest).file, `${digest} in ${name}`),
    stage: ({ digest }) => Promise.resolve(checked(digest)),
  };
}

/** A document as a JSON object. */
export async function documentObject(content: Content, descriptor: Descriptor): Promise<Json> {
  return parseObject(await content.document(descriptor), `${descriptor.digest} in ${content.name}`);
}

/** Read at once: through Node's pool of threads, the few documents of an image take longer than all else that a cached job does here. */
export async function smallFile(file: string, what: string): Promise<Buffer> {
  const found = statOf(file);
  // A fifo or a device would block for ever.
  if (found === undefined || !found.isFile()) throw broken(what, "there is no such file");
  if (found.size > largestDocument) throw broken(what, `it has ${String(found.size)} bytes`);
  return readFileSync(file);
}

/** What the name stands for; undefined when there is nothing, or nothing that we may see. At once: every run asks for a few. */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file);
  } catch {
    return undefined;
  }
}

async function isFile(file: string): Promise<boolean> {
  return statOf(file)?.isFile() ?? false;
}

function checkContent(data: Uint8Array, digest: string, where: string): void {
  const actual = `sha256:${createHash("sha256").update(data).digest("hex")}`;
  if (actual !== digest) throw damaged(`${digest} in ${where}`, digest, actual);
}
