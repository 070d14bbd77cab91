// What becomes of results when their source has changed meanwhile: the policies, and which kinds of sources have them.
import { inputError } from "../../compiler/index.ts";

/**
 * `fail`: nothing is pushed until a person says what is meant. `ours`: files of a node count. `theirs`: files that changed meanwhile stay. `merge`: git
 * joins lines, and fails where it cannot. `branch`: results go to a branch of their own.
 */
export const conflictPolicies = ["fail", "ours", "theirs", "merge", "branch"] as const;
export type ConflictPolicy = (typeof conflictPolicies)[number];

/** Where nobody says anything. */
export const usualPolicy: ConflictPolicy = "fail";

/** How what nodes give to a source is pushed; all of it may be missing. */
export interface PushSettings {
  readonly onConflict?: ConflictPolicy;
  /** Author of commits, `NAME <EMAIL>`. */
  readonly author?: string;
  /** First line of the messages of commits. */
  readonly message?: string;
}

interface Named {
  readonly name: string;
  readonly kind: string;
}

/** The names of these settings. */
export const pushSettings = ["onConflict", "author", "message"] as const;

/** Those that a kind of sources knows: objects of a bucket have no lines to merge and no branches, and a directory is where its files are made. */
export function policiesOf(kind: string): readonly ConflictPolicy[] {
  if (kind === "git") return conflictPolicies;
  return kind === "s3" ? ["fail", "ours", "theirs"] : [];
}

export function isPolicy(word: unknown): word is ConflictPolicy {
  return (conflictPolicies as readonly unknown[]).includes(word);
}

/** Throws UserError (2) `bad-policy` for a word that is none, or none of a source of this kind. */
export function checkPolicy(word: string, of: Named | undefined): ConflictPolicy {
  const known = of === undefined ? conflictPolicies : policiesOf(of.kind);
  if (isPolicy(word) && known.includes(word)) return word;
  const whose = of === undefined || !isPolicy(word) ? "" : ` for the source ${of.name} of kind ${of.kind}`;
  const hint = known.length === 0 ? "Only sources of kind git and s3 have conflicts" : `There are ${known.join(", ")}`;
  throw inputError({ code: "bad-policy", message: `There is no policy ${JSON.stringify(word)}${whose}`, at: [], hint });
}

/** Throws UserError (2) `bad-policy`, `bad-source`. */
export function checkPushSettings({ onConflict, author, message }: PushSettings, source: Named): void {
  if (onConflict !== undefined) checkPolicy(onConflict, source);
  const wrong = (why: string, hint: string): Error =>
    inputError({ code: "bad-source", message: `Cannot take the source ${source.name} so: ${why}`, at: [], hint });
  if ((author ?? message) !== undefined && source.kind !== "git")
    throw wrong(`a source of kind ${source.kind} has no commits`, "Leave --author and --message out");
  if (author !== undefined && !/^[^<>\n]*[^<>\s][^<>\n]* <[^<>\s]+>$/.test(author))
    throw wrong(`${JSON.stringify(author)} is no author`, "Write a name and an address: 'Build <build@example.com>'");
  if (message !== undefined && (message.trim() === "" || message.includes("\n")))
    throw wrong("its message is not one line of text", "Write for example --message 'Site of the newest release'");
}
