// What following sources tells, for people: versions that are new, nodes that run, and what cannot be asked.
import type { FollowEvent } from "../../engine/index.ts";
import { toFailure } from "../failure.ts";
import type { Io } from "../io.ts";
import { createProgress } from "./create.ts";
import { formatFailure } from "./failure.ts";
import { clean } from "./lines.ts";
import { chooseProgress, type ProgressPrinter } from "./progress.ts";
import { duration, plural } from "./units.ts";

/** On stderr. What a run of a config shows at the same time is not torn apart: as long as it goes on, only lines are kept for later. */
export class FollowScreen {
  readonly #io: Io;
  readonly #progress: string | undefined;
  #printer: ProgressPrinter | undefined;
  /** Undefined while nothing else is shown. */
  #kept: string[] | undefined;

  constructor(io: Io, progress: string | undefined) {
    this.#io = io;
    this.#progress = progress;
  }

  /** Something else is shown from now on. */
  hold(): void {
    this.#printer?.finish("canceled");
    this.#printer = undefined;
    this.#kept = [];
  }

  release(): void {
    for (const text of this.#kept ?? []) this.#io.stderr.write(text);
    this.#kept = undefined;
  }

  /** Leaves the terminal as it was. */
  end(): void {
    this.#printer?.finish("canceled");
    this.release();
  }

  show(event: FollowEvent): void {
    switch (event.type) {
      case "source":
        if (event.state === "failed") this.#fail(event.error);
        else this.#tell(sourceText(event));
        return;
      case "node":
        this.#node(event);
        return;
      case "push":
        this.#push(event);
        return;
      case "following":
        this.#tell(`Following ${plural(event.sources, "source")} for ${plural(event.nodes, "node")}; Ctrl-C ends it\n`);
        return;
      case "unfollowed":
        this.#fail(event.error);
    }
  }

  #push(event: Extract<FollowEvent, { type: "push" }>): void {
    if (event.state === "pushed") {
      const where = event.branch === undefined ? "" : `, to its branch ${clean(event.branch)}`;
      this.#tell(`Pushed ${event.commit.slice(0, 8)} to ${clean(event.source)}${where}\n`);
      return;
    }
    this.#fail(event.error);
    if (event.state === "failed") this.#tell(`Pushing to ${clean(event.source)} is tried again in ${duration(event.again)}\n`);
  }

  #node(event: Extract<FollowEvent, { type: "node" }>): void {
    const name = event.node.slice(0, 8);
    switch (event.state) {
      case "start":
        this.#tell(`Node ${name} runs\n`);
        if (this.#kept === undefined) this.#printer = createProgress(this.#progress, this.#io);
        return;
      case "event":
        this.#printer?.event(event.event);
        return;
      case "done":
        this.#close("done");
        this.#tell(`Node ${name} gave ${event.computed.outputs.map(versionText).join(", ")}\n`);
        return;
      case "superseded":
        this.#close("canceled");
        this.#tell(`Node ${name} is cancelled: what it takes has a new version\n`);
        return;
      case "failed":
        this.#close("failed");
        this.#fail(event.error);
        this.#tell(event.again === undefined ? `Node ${name} failed\n` : `Node ${name} is tried again in ${duration(event.again)}\n`);
    }
  }

  #close(how: "done" | "failed" | "canceled"): void {
    this.#printer?.finish(how);
    this.#printer = undefined;
  }

  #fail(error: unknown): void {
    const failure = toFailure(error, false);
    const text = this.#isJson
      ? `${JSON.stringify({ type: "error", time: this.#io.now(), ...failure })}\n`
      : formatFailure(failure, this.#io);
    this.#write(text);
  }

  /** For people only. */
  #tell(text: string): void {
    const mode = chooseProgress(this.#progress, this.#io.env, this.#io.stderr.isTTY);
    if (mode === "tty" || mode === "plain") this.#write(text);
  }

  #write(text: string): void {
    if (this.#kept === undefined) this.#io.stderr.write(text);
    else this.#kept.push(text);
  }

  get #isJson(): boolean {
    const mode = chooseProgress(this.#progress, this.#io.env, this.#io.stderr.isTTY);
    return mode === "json" || mode === "rawjson";
  }
}

function sourceText(event: Extract<FollowEvent, { type: "source" }> & { readonly id: string }): string {
  return event.state === "new" ? `${versionText(`${event.source}:${event.id}`)} is new\n` : `${clean(event.source)} can be asked again\n`;
}

/** `NAME:ID` with 8 digits of a whole one. */
function versionText(version: string): string {
  const [name = "", , hex = ""] = version.split(":");
  return `${clean(name)}:${hex.slice(0, 8)}`;
}
