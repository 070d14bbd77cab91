// Sources whose contents a name does not decide: git refs, and addresses without a checksum.
import { type Job, sourceOf, type Vertex } from "../../compiler/index.ts";

/** How the daemon is asked what a source stands for. */
export interface OpenSource {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
}

/** Those of a job, each once. */
export function openSources({ definition, images }: Pick<Job, "definition" | "images">): readonly OpenSource[] {
  const definitions = [definition, ...images.flatMap(({ platforms }) => platforms.map((one) => one.definition))];
  const found = new Map<string, OpenSource>();
  for (const { vertex } of definitions.flatMap(({ nodes }) => nodes)) {
    const source = vertex && sourceOf(vertex);
    if (source === undefined || (gitCommit(source) ?? httpChecksum(source)) !== "") continue;
    found.set(source.identifier, { identifier: source.identifier, attrs: source.attrs });
  }
  return [...found.values()];
}

/** The commit that a git source names, "" for a branch or tag; undefined for any other source. */
export function gitCommit({ identifier }: OpenSource): string | undefined {
  if (!identifier.startsWith("git://")) return undefined;
  return /#([0-9a-f]{40}|[0-9a-f]{64})(:|$)/.exec(identifier)?.[1] ?? "";
}

/** The digest that an address must give, "" where it may give anything; undefined for any other source. */
export function httpChecksum({ identifier, attrs }: OpenSource): string | undefined {
  return /^https?:\/\//.test(identifier) ? (attrs["http.checksum"] ?? "") : undefined;
}

/** `REMOTE#REF`, as the lock file has it, also of one that is locked. */
export function gitName({ meta }: Vertex, { identifier }: OpenSource): string {
  const [, remote = "", ref = ""] = /fetch-git (\S+) (\S+?)(?::\S*)?$/.exec(meta.name) ?? [];
  return remote === "" ? identifier.replace(/^git:\/\//, "") : `${remote}#${ref}`;
}
