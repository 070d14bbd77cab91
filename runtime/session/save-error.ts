// Words for what keeps a result from being written to this machine's disk.
import { type Position, UserError } from "../../compiler/diagnostic.ts";
import { RpcError } from "../grpc/status.ts";
import { errorCode } from "./walk.ts";

/** Where a result was to be written; `at` are the lines that ask for it. */
export interface Destination {
  readonly dest: string;
  readonly at?: readonly Position[];
}

/** A system error as UserError (exit 3) `disk-full` or `save-failed`; anything else is given back as it is. */
export function saveError(error: unknown, { dest, at = [] }: Destination): unknown {
  const code = errorCode(error);
  if (error instanceof UserError || error instanceof RpcError || code === "") return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    const message = `No space is left on the disk of ${dest}`;
    const hint = "Nothing was saved; make room and run again: finished steps are cached";
    return new UserError(3, [{ code: "disk-full", message, at, hint }], { cause: error });
  }
  return new UserError(3, [{ code: "save-failed", message: `Cannot save to ${dest}: ${reason(code, error)}`, at }], { cause: error });
}

function reason(code: string, error: unknown): string {
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "EROFS":
      return "the file system is read-only";
    case "ENOTDIR":
    case "EEXIST":
      return "a file is in the way";
    case "EISDIR":
      return "a directory is in the way";
    case "ENAMETOOLONG":
      return "a name is too long for this file system";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
