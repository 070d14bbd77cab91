// Asks sources what they have now, and keeps what is new of it in the store.
import { hash } from "node:crypto";
import { UserError } from "../../compiler/index.ts";
import { heldVersion } from "../pushing/records.ts";
import type { DatumEdge, NewDatum, Store } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { withDaemon } from "./ask/daemon.ts";
import { refused } from "./ask/errors.ts";
import { askGit } from "./ask/git.ts";
import { askPath } from "./ask/path.ts";
import { askRelease } from "./ask/release.ts";
import { askS3 } from "./ask/s3.ts";
import { imageName } from "./image.ts";
import type { Source } from "./source.ts";
import { type Answer, type AskScope, asNewest, type Seen, type SourceRequest, versionKey, versionOf } from "./versions.ts";

/** What became of one source. */
export interface Refreshed {
  readonly name: string;
  /** The version that it has now; "" where it cannot be asked. */
  readonly id: string;
  /** How many versions were not known before. */
  readonly fresh: number;
  /** It was not the newest that was known. */
  readonly isNews: boolean;
  readonly error?: unknown;
}

/** In the order given. One that cannot be asked keeps none of the others from being asked. */
export async function refreshSources(
  sources: readonly Source[],
  all: readonly Source[],
  { store, workspace, request }: { readonly store: Store; readonly workspace: Workspace; readonly request: SourceRequest },
): Promise<readonly Refreshed[]> {
  return withDaemon(request, async (askDaemon) => {
    const scope: AskScope = { ...request, workspace, askDaemon };
    const done: Refreshed[] = [];
    for (const source of sources) {
      try {
        done.push(await refreshOne(source, all, store, scope));
      } catch (error) {
        if (!(error instanceof UserError) || error.exit === 130) throw error;
        done.push({ name: source.name, id: "", fresh: 0, isNews: false, error });
      }
    }
    return done;
  });
}

/** All errors as one; undefined when there are none. */
export function failureOf(done: readonly Refreshed[]): UserError | undefined {
  const errors = done.flatMap(({ error }) => (error instanceof UserError ? [error] : []));
  const [first] = errors;
  if (first === undefined) return undefined;
  return new UserError(
    errors.some(({ exit }) => exit === 3) ? 3 : first.exit,
    errors.flatMap(({ diagnostics }) => diagnostics),
    { cause: first },
  );
}

/** What a source has now. Throws UserError: 2 `source-gone`, 3 `source-unreachable`. */
export async function askSource(source: Source, scope: AskScope): Promise<Answer> {
  switch (source.kind) {
    case "git":
      return askGit(source, scope);
    case "s3":
      return askS3(source, scope);
    case "path":
      return askPath(source, scope.workspace);
    case "release":
      return askRelease(source, scope);
    case "docker": {
      const ref = imageName(source);
      const digest = await scope.askDaemon.image(ref).catch((error: unknown) => {
        throw refused(source.name, error);
      });
      return only(source, digest, { url: `docker-image://${ref}`, digest });
    }
    case "http": {
      const digest = await scope.askDaemon.address(source.location).catch((error: unknown) => {
        throw refused(source.name, error);
      });
      return only(source, digest, { url: source.location, digest });
    }
  }
}

/** A part of an image has a hash of its own, made of the image's. */
function only({ path }: Source, digest: string, detail: Seen["detail"]): Answer {
  const current = { id: path === undefined ? digest : `sha256:${hash("sha256", `${digest} ${path}`)}`, detail };
  return { current, all: [current] };
}

async function refreshOne(source: Source, all: readonly Source[], store: Store, scope: AskScope): Promise<Refreshed> {
  const answer = await askSource(source, scope);
  const [newest] = await store.lineages.newest("version", [source.name]);
  // What a node gave counts until its remote has it, too.
  const held = source.kind === "git" ? await heldVersion(store, source.name) : undefined;
  const known = new Set((await store.lineages.list({ kind: "version", name: source.name })).map(({ id }) => id));
  const news = answer.all.filter(({ id }) => !known.has(id) && id !== answer.current.id);
  const whole = await partOf(source, answer.current, all, scope);
  const data: NewDatum[] = [
    ...news.map((seen) => versionOf(source, seen)),
    ...whole,
    versionOf(source, answer.current, true),
    ...(held === undefined ? [] : [asNewest(held)]),
  ];
  // What a watch asks for again and again is written only when it is news.
  const same = JSON.stringify(newest?.detail) === JSON.stringify(versionOf(source, answer.current).detail);
  const isKnown = held === undefined ? newest?.id === answer.current.id && same : known.has(answer.current.id) && newest?.id === held.id;
  if (newest !== undefined && isKnown && news.length === 0 && whole.length === 0)
    return { name: source.name, id: newest.id, fresh: 0, isNews: false };
  await store.lineages.record(data, partEdges(source, answer.current, whole));
  const fresh = news.length + (known.has(answer.current.id) ? 0 : 1);
  const { id } = held ?? answer.current;
  return { name: source.name, id, fresh, isNews: newest?.id !== id };
}

/** The version of its parent that the newest one is a part of; none where it is a part of nothing. */
async function partOf(source: Source, current: Seen, all: readonly Source[], scope: AskScope): Promise<NewDatum[]> {
  const known = wholeAt(source, current, all);
  const parent = parentOf(source, all);
  if (known.length > 0 || parent === undefined || parent.tag !== source.tag) return known;
  return [versionOf(parent, (await askSource(parent, scope)).current, true)];
}

/** As `partOf`, where the version itself says it: a commit is the same wherever it is seen. */
export function wholeAt(source: Source, { detail }: Seen, all: readonly Source[]): NewDatum[] {
  const parent = parentOf(source, all);
  const { commit } = detail;
  if (parent === undefined || parent.path !== undefined || commit === undefined) return [];
  return [versionOf(parent, { id: `${commit.length === 64 ? "sha256" : "sha1"}:${commit}`, detail })];
}

/** From a version to the one of its parent that it is a part of. */
export function partEdges(source: Source, { id }: Seen, whole: readonly NewDatum[]): DatumEdge[] {
  return whole.map((parent) => ({ child: versionKey(source.name, id), parent, kind: "part" }));
}

function parentOf({ parent, kind, location }: Source, all: readonly Source[]): Source | undefined {
  return all.find((one) => one.name === parent && one.kind === kind && one.location === location);
}
