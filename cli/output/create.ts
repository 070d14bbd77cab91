// Makes the progress printer of a run.
import { UsageError } from "../failure.ts";
import type { Io } from "../io.ts";
import { wantsColour } from "../io.ts";
import { JsonProgress } from "./json.ts";
import { PlainProgress } from "./plain.ts";
import type { ProgressPrinter } from "./progress.ts";
import { chooseProgress, progressModes } from "./progress.ts";
import { QuietProgress } from "./quiet.ts";
import { RawJsonProgress } from "./raw-json.ts";
import { createStyle } from "./style.ts";
import { TtyProgress } from "./tty.ts";

/** The printer for `--progress` or its environment variables. Throws UsageError for a mode that does not exist. */
export function createProgress(flag: string | undefined, io: Io): ProgressPrinter {
  const mode = chooseProgress(flag, io.env, io.stderr.isTTY);
  const style = createStyle(wantsColour(io.stderr, io.env));
  switch (mode) {
    case "tty":
      return new TtyProgress(io.stderr, style, io.now);
    case "plain":
      return new PlainProgress(io.stderr, style, io.now);
    case "json":
      return new JsonProgress(io.stderr, io.now);
    case "rawjson":
      return new RawJsonProgress(io.stderr);
    case "quiet":
      return new QuietProgress(io.stderr, style, io.now);
    case undefined:
      throw new UsageError({
        code: "bad-progress",
        message: "DAGGER_PROGRESS (or BUILDKIT_PROGRESS) names no progress mode",
        at: [],
        hint: `Set it to one of auto, ${progressModes.join(", ")}, or unset it`,
      });
  }
}
