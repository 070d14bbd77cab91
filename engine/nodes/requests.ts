// Where a config takes sources of the workspace (#Source of package data), and what is filled in there: the version, and the ops that fetch it.
import { type Diagnostic, inputError, UserError } from "../../compiler/index.ts";
import type { Fill } from "../../runtime/cue/index.ts";
import { placesOf, textOf } from "../connectors/places.ts";
import type { Surroundings } from "../request.ts";
import { excluded } from "../sources/ask/path.ts";
import { type Data, withData } from "../sources/open.ts";
import { findSource } from "../sources/source.ts";
import { type AskScope, detailOf, findVersion, versionKey, versionOf } from "../sources/versions.ts";
import type { Datum } from "../store/index.ts";
import type { Taken } from "./config.ts";
import { takeVersion } from "./take.ts";

/** What a config gets of the sources that it takes. */
export interface TakenSources {
  readonly fills: readonly Fill[];
  /** The credentials, as `--secret` takes them. */
  readonly secrets: readonly string[];
  /** Absolute directories that the job may upload. */
  readonly granted: readonly string[];
  readonly versions: Readonly<Record<string, string>>;
}

interface Request extends Surroundings {
  readonly signal?: AbortSignal;
}

/** `root` is that of the workspace. Throws UserError (2) `unknown-source`, `no-version`, `unknown-version`, `version-gone`, each with all its places. */
export async function takeSources(
  config: Parameters<typeof placesOf>[0],
  root: string | undefined,
  request: Request,
): Promise<TakenSources> {
  const places = placesOf(config, ({ value }) =>
    value.fields.get("name")?.attributes.some(({ name, body }) => name === "source" && body.trim() === "version") === true
      ? true
      : undefined,
  );
  const named = places.flatMap((place) => {
    const name = textOf(place.field, "name");
    return name === undefined ? [] : [{ ...place, name }];
  });
  if (named.length === 0) return { fills: [], secrets: [], granted: [], versions: {} };
  const { env, cwd, store, signal = new AbortController().signal } = request;
  const around = { env, cwd: root ?? cwd, ...(store === undefined ? {} : { store }), signal };
  return withData(around, async (data) => {
    const askDaemon = { image: unasked, address: unasked };
    const scope: AskScope = { ...around, workspace: data.workspace, askDaemon };
    const wrong: Diagnostic[] = [];
    const taken: (readonly [path: string, taken: Taken, isSaid: boolean])[] = [];
    for (const { path, field, name } of named) {
      try {
        const source = await findSource(data.workspace, name, cwd);
        const said = textOf(field, "version");
        const datum = await versionFor(source.name, said, data);
        taken.push([path, await takeVersion(source, { id: datum.id, detail: detailOf(datum) }, scope), said !== undefined]);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        wrong.push(...error.diagnostics.map((one) => ({ ...one, path, at: field.at.slice(0, 2) })));
      }
    }
    if (wrong.length > 0) throw inputError(...new Map(wrong.map((one) => [`${one.path}`, one])).values());
    return {
      fills: taken.flatMap(([path, one, isSaid]) => fillsFor(path, one, isSaid)),
      secrets: [...new Set(taken.flatMap(([, { secrets }]) => secrets))],
      granted: taken.flatMap(([, { from }]) => ("dir" in from ? [from.dir] : [])),
      versions: Object.fromEntries(taken.map(([, { known }]) => [known.source.name, known.version?.id ?? ""])),
    };
  });
}

async function unasked(): Promise<never> {
  throw new Error("nobody is asked while a config is read");
}

/** The one that the config says, the pinned one, or the newest that is known. */
async function versionFor(name: string, wanted: string | undefined, { sources, store }: Data): Promise<Datum> {
  const source = sources.find((one) => one.name === name);
  if (wanted !== undefined) return findVersion(store, name, wanted);
  if (source?.pin !== undefined) {
    const pinned = await store.lineages.get(versionKey(name, source.pin));
    return pinned ?? { ...versionOf(source, { id: source.pin, detail: {} }), time: 0 };
  }
  const [newest] = await store.lineages.newest("version", [name]);
  if (newest !== undefined) return newest;
  const hint = `Look for one: dagger source refresh ${name}`;
  throw inputError({ code: "no-version", message: `No version of the source ${name} is known`, at: [], hint });
}

function fillsFor(path: string, { known: { source, version }, from, path: part }: Taken, isSaid: boolean): readonly Fill[] {
  const ops = "ops" in from ? from.ops : [{ do: "local", dir: from.dir, exclude: excluded }];
  const origin = `source ${source.name}`;
  const { id = "", detail = {} } = version ?? {};
  // What is said of the version may be its beginning.
  const about = { ...(isSaid ? {} : { version: id }), id, kind: source.kind, location: source.location, detail };
  return [
    { path, json: JSON.stringify(about), origin, elements: true },
    { path: `${path}.#up`, json: JSON.stringify([...ops, ...(part === "/" ? [] : [{ do: "subdir", dir: part }])]), origin },
  ];
}
