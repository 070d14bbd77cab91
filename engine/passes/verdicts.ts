// Verdicts: what failed though its step did not, as a file of the finished build tells it. The run ends with it when all else is in place.
import type { Job, Value } from "../../compiler/index.ts";
import { placeInConfig, UserError } from "../../compiler/index.ts";

/** A failure for each verdict whose file is not empty; `root` is the config that the job was made from. */
export function readVerdicts(verdicts: Job["verdicts"], root: Value, read: (file: string) => Uint8Array): UserError[] {
  return verdicts.flatMap(({ file, path, at }) => {
    const text = new TextDecoder().decode(read(file)).trimEnd();
    return text === "" ? [] : [new UserError(1, placeInConfig([{ code: "verdict-failed", message: text, path, at }], root))];
  });
}
