// dagger watch: runs a config again and again, and shows each run.
import type { TestRun, testRun, WatchEvent } from "../../engine/index.ts";
import type { Context, WatchFlags } from "../context.ts";
import { toFailure } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { createProgress } from "../output/create.ts";
import { formatWarning } from "../output/errors.ts";
import { formatFailure } from "../output/failure.ts";
import { FollowScreen } from "../output/following.ts";
import { timeText } from "../output/history.ts";
import type { ProgressPrinter } from "../output/progress.ts";
import { chooseProgress } from "../output/progress.ts";
import { createStyle } from "../output/style.ts";
import { plural } from "../output/units.ts";
import { formatValues } from "../output/values.ts";
import { typedInputs } from "./compute.ts";
import { showTests } from "./test.ts";
import { jsonValue, readyToRun, requestOf, summarize } from "./up.ts";

/** Progress and failures on stderr, values on stdout after each run; with `--output json` one line there for each thing that happens. */
export async function watchCommand(
  context: Context,
  dir: string | undefined,
  flags: WatchFlags,
  onEvent: (event: WatchEvent) => void = () => undefined,
): Promise<void> {
  const place = await readyToRun(context, dir, flags);
  const { loadWatching } = await import("../../engine/index.ts");
  const { watch } = await loadWatching();
  const { debounce, debounceLimit, poll, sources } = flags;
  const { supersede: _, ...request } = requestOf(context, { ...flags, supersede: false });
  const testing = flags.test === true ? await (await import("../../engine/index.ts")).loadTesting() : undefined;
  const screen = new WatchScreen(context, flags, testing?.testRun);
  const follow = async (reports: string | undefined): Promise<void> => {
    for await (const event of watch({
      ...request,
      ...(reports === undefined ? {} : { reports }),
      ...place,
      typedInputs: typedInputs(flags),
      ...(debounce === undefined ? {} : { quiet: debounce }),
      ...(debounceLimit === undefined ? {} : { limit: debounceLimit }),
      ...(poll === undefined ? {} : { poll }),
      queue: !flags.supersede,
      workers: flags.workers === true,
      ...(flags.onConflict === undefined ? {} : { onConflict: flags.onConflict }),
      ...(sources === undefined ? {} : { sources: sources ? "only" : "none" }),
    })) {
      onEvent(event);
      screen.show(event);
    }
  };
  try {
    await (testing === undefined ? follow(undefined) : testing.withReports(follow));
  } finally {
    screen.end();
  }
}

class WatchScreen {
  readonly #context: Context;
  readonly #flags: WatchFlags;
  /** Only of a watch of tests. */
  readonly #testRun: typeof testRun | undefined;
  /** Of the run that goes on, if one does. */
  #progress: ProgressPrinter | undefined;
  readonly #following: FollowScreen;

  constructor(context: Context, flags: WatchFlags, toTestRun?: typeof testRun) {
    this.#context = context;
    this.#flags = flags;
    this.#following = new FollowScreen(context.io, flags.progress);
    this.#testRun = toTestRun;
  }

  show(event: WatchEvent): void {
    if (this.#flags.output === "json" && event.type !== "event") this.#line(event);
    switch (event.type) {
      case "start":
        this.#following.hold();
        this.#progress = createProgress(this.#flags.progress, this.#context.io);
        return;
      case "event":
        this.#progress?.event(event.event);
        return;
      case "end":
        this.#ended(event);
        this.#following.release();
        return;
      case "waiting":
        this.#tell(`Waiting for ${waitingText(event)}; Ctrl-C ends it\n`);
        return;
      case "warning":
        this.#warn(event);
        return;
      default:
        this.#following.show(event);
    }
  }

  /** Leaves the terminal as it was. */
  end(): void {
    this.#progress?.finish("canceled");
    this.#following.end();
  }

  #ended(event: Extract<WatchEvent, { type: "end" }>): void {
    const { io } = this.#context;
    switch (event.outcome) {
      case "done":
        this.#progress?.finish("done");
        if (this.#testRun !== undefined) this.#tests(this.#testRun(event.result, []));
        else if (this.#flags.output === "text")
          io.stdout.write(formatValues(event.result.values, createStyle(wantsColour(io.stdout, io.env))));
        summarize(this.#context, this.#flags, event.result);
        return;
      case "failed": {
        this.#progress?.finish("failed");
        const failure = toFailure(event.error, false);
        if (this.#testRun !== undefined && failure.result !== undefined) {
          this.#tests(this.#testRun(failure.result, failure.diagnostics));
          summarize(this.#context, this.#flags, failure.result);
        } else if (this.#isJson) io.stderr.write(`${JSON.stringify({ type: "error", time: io.now(), ...failure })}\n`);
        else io.stderr.write(formatFailure(failure, io));
        return;
      }
      case "superseded":
        this.#progress?.finish("canceled");
        this.#tell("Cancelled: something changed while it ran\n");
        return;
    }
  }

  #tests(run: TestRun): void {
    if (this.#flags.output === "text") showTests(this.#context, run);
  }

  #warn({ code, message, detail }: Extract<WatchEvent, { type: "warning" }>): void {
    const { io } = this.#context;
    const warning = { type: "warning", code, message, detail, at: [] } as const;
    if (this.#isJson) io.stderr.write(`${JSON.stringify({ time: io.now(), ...warning })}\n`);
    else io.stderr.write(formatWarning(warning, createStyle(wantsColour(io.stderr, io.env))));
  }

  #line(event: Exclude<WatchEvent, { type: "event" }>): void {
    const { io } = this.#context;
    const { type, ...rest } = event;
    if (event.type === "node" && event.state === "event") return;
    const told = "error" in event ? { ...rest, error: toFailure(event.error, false) } : rest;
    io.stdout.write(`${JSON.stringify({ type, time: io.now(), ...told }, jsonValue)}\n`);
  }

  /** For people only. */
  #tell(text: string): void {
    const { io } = this.#context;
    const mode = chooseProgress(this.#flags.progress, io.env, io.stderr.isTTY);
    if (mode === "tty" || mode === "plain") io.stderr.write(text);
  }

  get #isJson(): boolean {
    const { io } = this.#context;
    const mode = chooseProgress(this.#flags.progress, io.env, io.stderr.isTTY);
    return mode === "json" || mode === "rawjson";
  }
}

function waitingText({ directories, names, next }: Extract<WatchEvent, { type: "waiting" }>): string {
  const where = directories === 0 ? "changes of the config" : `changes in ${plural(directories, "directory", "directories")}`;
  const what = names === 0 ? "" : `, and of ${plural(names, "name")} of images, git refs or addresses`;
  return `${where}${what}${next === undefined ? "" : `, and for ${next.path} at ${timeText(next.time)}`}`;
}
