// The fields that only fetch-git has: remotes, refs, commits, directories of a repository, signatures.
import { type GitUrl, parseGitUrl } from "../llb/index.ts";
import type { Field } from "../value.ts";
import { concrete, readRecord, required, standard, wrongType } from "./fields.ts";
import type { FieldType, ReadContext } from "./spec.ts";
import { boolean, name, string } from "./types.ts";

/** The URL as git is given it. */
export const remote: FieldType<string> = {
  words: `the URL of a git repository such as "https://host/path"`,
  read: (field, context) => {
    const text = name.read(field, context);
    if (text === undefined) return undefined;
    const reading = parseGitUrl(text);
    if (!reading.ok) return invalid(field, context, `: ${reading.problem}`, "Write it as https://host/path or git@host:path");
    const { password, query, fragment } = reading.url;
    if (password) {
      return invalid(field, context, ": it holds a password, which everybody could read in the graph", `Use authToken: {secret: "NAME"}`);
    }
    if (query !== "" || fragment !== "") {
      return invalid(field, context, ": it has more than host and path", "Write what follows ? or # as the fields ref and subdir");
    }
    return reading.url.remote;
  },
};

/** The parts of a remote that was read before. */
export function parts(text: string): GitUrl {
  const reading = parseGitUrl(text);
  if (!reading.ok) throw new Error(`${text} is no git remote: ${reading.problem}`);
  return reading.url;
}

/** Without the URL, which may hold a password. */
function invalid(field: Field, context: ReadContext, problem: string, hint: string): undefined {
  context.problem({ code: "invalid-remote", message: `Invalid git remote${problem}`, path: field.path, at: field.at, hint });
  return undefined;
}

/** A branch, tag or commit; `:` would end it in the graph. */
export const gitRef: FieldType<string> = {
  words: "a branch, tag or commit",
  read: (field, context) => {
    const text = name.read(field, context);
    if (text === undefined) return undefined;
    // As git check-ref-format has it, as far as it matters to be told early.
    const wrong = /^-|[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/$|\.$/.test(text);
    return wrong ? wrongType(field, gitRef.words, context, "A ref has no blanks and none of : ~ ^ ? * [ \\") : text;
  },
};

export const commit: FieldType<string> = {
  words: "a commit, as 7 to 64 hexadecimal digits",
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    return /^[0-9a-f]{7,64}$/.test(text) ? text : wrongType(field, commit.words, context);
  },
};

export const subdirectory: FieldType<string> = {
  words: "a directory of the repository",
  read: (field, context) => {
    const text = name.read(field, context);
    if (text === undefined) return undefined;
    return text.split("/").includes("..") ? wrongType(field, subdirectory.words, context, "Write it without ..") : text;
  },
};

export interface GitSignatureSpec {
  readonly pubKey: string;
  readonly rejectExpired: boolean;
  readonly requireSignedTag: boolean;
  readonly ignoreSignedTag: boolean;
}

const signatureFields = {
  pubKey: required(name),
  rejectExpired: standard(boolean, false),
  requireSignedTag: standard(boolean, false),
  ignoreSignedTag: standard(boolean, false),
};

/** The key that must have signed the commit or its tag. */
export const signature: FieldType<GitSignatureSpec> = {
  words: "{pubKey, rejectExpired, requireSignedTag, ignoreSignedTag}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") return wrongType(field, signature.words, context);
    return readRecord("signature", signatureFields, field, context) as GitSignatureSpec | undefined;
  },
};
