// Commits that dagger makes: who they are from, and what they say of where they come from.
import type { Git } from "../sources/ask/mirror.ts";
import type { ConflictPolicy } from "../sources/conflict.ts";
import type { Source } from "../sources/source.ts";

/** What a commit says of where it comes from. */
export interface Origin {
  readonly node: string;
  readonly computation: string;
  readonly run?: string;
  /** `NAME:ID` of what was taken. */
  readonly inputs: readonly string[];
  readonly policy?: ConflictPolicy;
}

export interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly origin: Pick<Origin, "node"> & Partial<Origin>;
  /** First line; what the source says without it. */
  readonly subject?: string;
}

/** Gives its hash. */
export async function commitTree(git: Git, source: Source, { tree, parents, origin, subject }: NewCommit): Promise<string> {
  const { node, computation, run, inputs = [] } = origin;
  const title = subject ?? source.message ?? `Results of node ${node.slice(0, 8)}`;
  const trailers = [
    `Dagger-Node: ${node}`,
    ...(computation === undefined ? [] : [`Dagger-Computation: ${computation}`]),
    ...(run === undefined ? [] : [`Dagger-Run: ${run}`]),
    ...inputs.map((input) => `Dagger-Input: ${input}`),
  ];
  const own = git.with(await identity(git, source));
  const args = parents.flatMap((parent) => ["-p", parent]);
  return (await own.pipe(`${title}\n\n${trailers.join("\n")}\n`, "commit-tree", tree, ...args)).trim();
}

/** The author is the source's; who commits is whom git knows on this machine, where it knows anybody. */
async function identity(git: Git, { author }: Pick<Source, "author">): Promise<Readonly<Record<string, string>>> {
  const known = async (who: "AUTHOR" | "COMMITTER"): Promise<readonly [name: string, email: string] | undefined> => {
    const { code, stdout } = await git.outcome("var", `GIT_${who}_IDENT`);
    return code === 0 ? split(stdout) : undefined;
  };
  const writer = (author === undefined ? await known("AUTHOR") : split(author)) ?? ["dagger", "dagger@localhost"];
  const committer = (await known("COMMITTER")) ?? writer;
  return { GIT_AUTHOR_NAME: writer[0], GIT_AUTHOR_EMAIL: writer[1], GIT_COMMITTER_NAME: committer[0], GIT_COMMITTER_EMAIL: committer[1] };
}

/** `NAME <EMAIL>`, whatever follows. */
function split(text: string): readonly [name: string, email: string] | undefined {
  const [, name, email] = /^(.*\S)\s+<([^>]+)>/.exec(text) ?? [];
  return name === undefined || email === undefined ? undefined : [name, email];
}
