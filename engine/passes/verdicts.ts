// Verdicts: what failed though its step did not, as a file of the finished build tells it. The run ends with it when all else is in place.
import type { Job } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";

/** A failure for each verdict whose file is not empty. */
export function readVerdicts(verdicts: Job["verdicts"], read: (file: string) => Uint8Array): UserError[] {
  return verdicts.flatMap(({ file, path, at }) => {
    const text = new TextDecoder().decode(read(file)).trimEnd();
    return text === "" ? [] : [new UserError(1, [{ code: "verdict", message: text, path, at }])];
  });
}
