// The versions that a computation made: of its outputs, and of what lies in the same places.
import { UserError } from "../../compiler/index.ts";
import { meeting } from "../sources/meeting.ts";
import { askSource } from "../sources/refresh.ts";
import type { Source } from "../sources/source.ts";
import { type AskScope, type Seen, versionKey, versionOf } from "../sources/versions.ts";
import type { DatumEdge, DatumKey, NewDatum } from "../store/index.ts";
import { type Given, grown } from "./give.ts";

export interface Made {
  readonly data: readonly NewDatum[];
  readonly edges: readonly DatumEdge[];
}

/** What is given to others goes to its place after the computation is done. */
export function isWrittenAtOnce({ kind }: Source): boolean {
  return kind !== "git";
}

/** Looks at sources that lie where results go: they change with them. Gives what tells afterwards which of them did. */
export async function lookBeside(
  outputs: readonly Source[],
  sources: readonly Source[],
  scope: AskScope,
): Promise<() => Promise<readonly (readonly [Source, Given])[]>> {
  const beside = meeting(outputs.filter(isWrittenAtOnce), sources, scope.workspace.root);
  const before = new Map((await seenIn(beside, scope)).map(([{ name }, seen]) => [name, seen]));
  return async () => {
    const now = await seenIn(beside, scope);
    const changed = now.filter(([{ name }, { id }]) => before.get(name)?.id !== id);
    return changed.map(([source, seen]) => [source, grown(seen, before.get(source.name))]);
  };
}

/** Those that can be asked. */
async function seenIn(sources: readonly Source[], scope: AskScope): Promise<readonly (readonly [Source, Seen])[]> {
  const found: (readonly [Source, Seen])[] = [];
  for (const source of sources) {
    const answer = await askSource(source, scope).catch((error: unknown) => {
      if (error instanceof UserError && error.exit !== 130) return undefined;
      throw error;
    });
    if (answer !== undefined) found.push([source, answer.current]);
  }
  return found;
}

/** The versions that a computation gave, with what they come from. */
export function madeBy(key: DatumKey, given: readonly (readonly [Source, Given])[], run: string | undefined): Made {
  const data: NewDatum[] = [];
  const edges: DatumEdge[] = [];
  for (const [source, { seen, before, isCurrent, data: more, edges: others }] of given) {
    const child = versionKey(source.name, seen.id);
    edges.push({ child, parent: key, kind: "output" });
    if (before !== undefined && before.id !== seen.id) {
      data.push(versionOf(source, before));
      edges.push({ child, parent: versionKey(source.name, before.id), kind: "before" });
    }
    data.push({ ...versionOf(source, seen, isCurrent), ...(run === undefined ? {} : { run }) }, ...more);
    edges.push(...others);
  }
  return { data, edges };
}
