// A version of a source on its way into a container: the ops that fetch exactly it, or a directory of this machine that has it.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import { inputError } from "../../compiler/index.ts";
import { imagesDir, openImageStore } from "../../runtime/images/index.ts";
import { keptFiles } from "../pushing/place.ts";
import { gitConnector, remoteOf } from "../sources/ask/mirror.ts";
import { askPath, directoryOf } from "../sources/ask/path.ts";
import { digestOf, openBucket } from "../sources/ask/s3.ts";
import { imageName } from "../sources/image.ts";
import type { Source } from "../sources/source.ts";
import type { AskScope } from "../sources/versions.ts";
import type { Taken } from "./config.ts";

interface Version {
  readonly id: string;
  readonly detail: Readonly<Record<string, string>>;
}

/** Throws UserError (2) `version-gone` where nobody has that version any more. */
export async function takeVersion(source: Source, version: Version, scope: AskScope): Promise<Taken> {
  const known = { source, root: `/in/${source.name}`, version };
  const ops = (list: readonly unknown[], secrets: readonly string[] = []): Taken => ({
    known,
    from: { ops: list },
    path: source.path ?? "/",
    secrets,
  });
  switch (source.kind) {
    case "git":
      return takeCommit(source, version, scope, ops);
    case "docker": {
      const ref = imageName(source);
      const { digest = version.id } = version.detail;
      const stored = (await openImageStore(imagesDir(scope.env)).list()).find((one) => one.ref === ref);
      if (stored?.digest === digest) return ops([{ do: "fetch-container", ref }]);
      return ops([{ do: "fetch-container", ref: `${ref.replace(/:[^:/]*$/, "")}@${digest}` }]);
    }
    case "http":
      return ops([{ do: "fetch-http", url: source.location, checksum: version.id }]);
    case "release": {
      const { url } = version.detail;
      if (url === undefined) throw gone(source, version, `the release has no address in ${source.location}`);
      return ops([{ do: "fetch-http", url, ...(/^sha(256|384|512):/.test(version.id) ? { checksum: version.id } : {}) }]);
    }
    case "path": {
      const { current } = await askPath(source, scope.workspace);
      if (current.id !== version.id) throw gone(source, version, `the directory has ${current.id} now`);
      return { known, from: { dir: directoryOf(source, scope.workspace.root) }, path: "/", secrets: [] };
    }
    case "s3":
      return { known, from: { dir: await downloaded(source, version, scope) }, path: "/", secrets: [] };
  }
}

async function takeCommit(
  source: Source,
  version: Version,
  scope: AskScope,
  ops: (list: readonly unknown[], secrets?: readonly string[]) => Taken,
): Promise<Taken> {
  const commit = version.detail["commit"] ?? (source.path === undefined ? version.id.replace(/^\w+:/, "") : undefined);
  if (commit === undefined) throw gone(source, version, "nobody knows its commit; look for it with `dagger source refresh`");
  const kept = await keptFiles(source, commit, scope);
  if (kept !== undefined) return { ...ops([]), from: { dir: kept }, path: source.path ?? "/" };
  const remote = remoteOf(source, scope.workspace.root);
  // The daemon does not see repositories of this machine.
  if (remote.startsWith("/"))
    return { ...ops([]), from: { dir: await checkedOut(source, remote, commit, scope) }, path: source.path ?? "/" };
  const connector = await gitConnector(source, scope);
  const id = connector === undefined ? "" : `connector.${connector.name}.token`;
  const auth = connector === undefined ? {} : { authToken: { secret: id } };
  return ops(
    [{ do: "fetch-git", remote, ref: commit, ...auth }],
    connector === undefined ? [] : [`${id}=connector:${connector.name}.token`],
  );
}

async function checkedOut(source: Source, remote: string, commit: string, { env, cwd, signal }: AskScope): Promise<string> {
  const { fetchCommit } = await import("../stacks/git.ts");
  return fetchCommit(remote, source.tag ?? "HEAD", commit, { env, cwd, signal });
}

/** The objects of a bucket as files, kept by their version: they are fetched once. */
async function downloaded(source: Source, version: Version, scope: AskScope): Promise<string> {
  const name = createHash("sha256")
    .update(`${source.location} ${source.path ?? ""} ${version.id}`)
    .digest("hex")
    .slice(0, 32);
  const dir = join(scope.workspace.state, "buckets", name);
  if (existsSync(dir)) return dir;
  const bucket = await openBucket(source, scope);
  const objects = await bucket.list();
  if (digestOf(objects) !== version.id) throw gone(source, version, `the bucket has ${digestOf(objects)} now`);
  const fresh = `${dir}.${process.pid}`;
  try {
    await mkdir(fresh, { recursive: true });
    for (const object of objects) {
      const file = resolve(fresh, object.path);
      if (!file.startsWith(fresh + sep)) throw gone(source, version, `the object ${object.key} is no path of a file`);
      const bytes = await bucket.get(object);
      if (bytes === undefined) throw gone(source, version, `the object ${object.key} changed while it was read`);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, bytes);
    }
    await rename(fresh, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error;
    });
    return dir;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

function gone({ name }: Source, { id }: Version, why: string): Error {
  const hint = `Take what it has now: dagger source unpin ${name}, dagger source refresh ${name}`;
  return inputError({ code: "version-gone", message: `The version ${id} of the source ${name} cannot be had: ${why}`, at: [], hint });
}
