// The door to CUE: load an instance, fill values in, read the result as a Value or as data.
import { type Diagnostic, orderDiagnostics, type Position, UserError } from "../../compiler/diagnostic.ts";
import type { Value } from "../../compiler/value.ts";
import type { Cache } from "./cache.ts";
import { valueToData } from "./data.ts";
import { decodeFinding, decodeValue } from "./decode.ts";
import { Host, NeedsWorker } from "./host.ts";
import type { Source } from "./layout.ts";
import type { ProgramOptions } from "./program.ts";
import type { Answer, Documented, Exported, File, Fill, ModuleFile, Request, Scanned, Show } from "./protocol.ts";

export type { Fill } from "./protocol.ts";

export interface EvaluatorOptions extends ProgramOptions {
  /** Remembers evaluations: what was loaded before with the same fills is not evaluated again. */
  readonly cache?: Cache | undefined;
  /** Whether an evaluation, as text, may be remembered; all may without it. */
  readonly mayKeep?: ((text: string) => boolean) | undefined;
  /** Labels of definitions whose values are exported, e.g. `#up`. */
  readonly follow: readonly string[];
  /** Ends an evaluation that takes long: it rejects with UserError (130). */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds of CPU after which an evaluation goes on in a thread of its own, from its beginning. */
  readonly patience?: number | undefined;
}

/** One evaluated state of an instance. Stays valid whatever else the evaluator does later. */
export interface Evaluation {
  readonly root: Value;
  /** All fills so far. */
  readonly fills: readonly Fill[];
  /** The same instance with more fills, evaluated once more without loading again. Throws UserError (2). */
  fill(fills: readonly Fill[]): Promise<Evaluation>;
  /**
   * The final concrete regular fields as data: a component that only has a filesystem is `{}`; definitions, hidden fields and whatever
   * is incomplete are left out. Integers beyond 2^53 are bigint, bytes are base64 text.
   */
  exportJson(): unknown;
}

export interface ScanOptions {
  /** What the user gave as tags: `@if` asks for bare names. */
  readonly tags?: readonly string[];
  /** Language version of the module, e.g. `v0.9.0`. */
  readonly version?: string;
}

export interface Evaluator {
  /** Parses files and lists what they import. Throws UserError (2) with every syntax error. */
  scan(files: readonly File[], options?: ScanOptions): Promise<readonly Scanned[]>;
  /** Evaluates one file that imports nothing, such as a registry configuration, to plain data. Throws UserError (2). */
  data(file: File): Promise<unknown>;
  /**
   * Reads cue.mod/module.cue and, when it is there, cue.mod/local-module.cue; `raw` is what each of them says as it is.
   * Throws UserError (2) with all that is wrong in them.
   */
  module(file: File, local?: File): Promise<ModuleFile & { readonly raw: readonly unknown[] }>;
  /** Evaluates an instance together with fills. Throws UserError (2) with every finding. */
  load(source: Source, fills?: readonly Fill[]): Promise<Evaluation>;
  /** As `load`, with text for people as the result. Throws UserError (2) with every finding. */
  show(source: Source, fills: readonly Fill[], show: Show): Promise<string>;
  /** Files in the standard format, in order: byte for byte what `cue fmt` writes. Throws UserError (2) with every syntax error. */
  format(files: readonly File[], version?: string): Promise<readonly string[]>;
  /**
   * The text of cue.mod/module.cue with these versions as its deps, by name with the major version; comments and the order stay.
   * Throws UserError (2) when it does not parse.
   */
  withDeps(file: File, deps: Readonly<Record<string, string>>): Promise<string>;
  /** What the files of one package say to people; nothing is evaluated. Throws UserError (2) with every syntax error. */
  document(files: readonly File[], version?: string): Promise<Documented>;
  /** Gives back the memory that is held for further fills: a fill after it loads again. */
  release(): Promise<void>;
  close(): Promise<void>;
}

/** CUE is compiled when it is first needed; evaluations share the compiled module. */
export async function createEvaluator(options: EvaluatorOptions): Promise<Evaluator> {
  const { cache, mayKeep, follow, signal, patience, ...program } = options;
  return new WasmEvaluator(new Host({ program, signal, patience }), { cache, mayKeep, follow });
}

class WasmEvaluator implements Evaluator {
  readonly #host: Host;
  readonly #follow: readonly string[];
  readonly #cache: Cache | undefined;
  readonly #mayKeep: (text: string) => boolean;
  /** What the host has loaded: a fill of anything else loads again. */
  #loaded: Source | undefined;
  /** Evaluations that needed the worker stay there. */
  #inWorker = false;
  readonly #needWorker = new WeakSet<Source>();
  /** Calls run one after another: there is one host. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(host: Host, { follow, cache, mayKeep = () => true }: Pick<EvaluatorOptions, "follow" | "cache" | "mayKeep">) {
    this.#host = host;
    this.#follow = follow;
    this.#cache = cache;
    this.#mayKeep = mayKeep;
  }

  scan(files: readonly File[], options: ScanOptions = {}): Promise<readonly Scanned[]> {
    return this.#enqueue(async () => {
      if (this.#loaded) await this.#reset();
      const { answer } = await this.#ask<Answer>({ call: "scan", files, tags: options.tags ?? [], version: options.version ?? "" });
      return answer.scanned ?? [];
    });
  }

  data(file: File): Promise<unknown> {
    return this.#enqueue(async () => (await this.#ask<Answer>({ call: "data", files: [file] })).answer.data);
  }

  module(file: File, local?: File): Promise<ModuleFile & { readonly raw: readonly unknown[] }> {
    const files = local ? [file, local] : [file];
    return this.#enqueue(async () => {
      const { module, raw = [] } = (await this.#ask<Answer>({ call: "module", files })).answer;
      return { ...(module as ModuleFile), raw };
    });
  }

  load(source: Source, fills: readonly Fill[] = []): Promise<Evaluation> {
    return this.#enqueue(() => this.#evaluate(source, fills, true));
  }

  show(source: Source, fills: readonly Fill[], show: Show): Promise<string> {
    return this.#enqueue(async () => {
      if (this.#loaded) await this.#reset();
      const request = { call: "show", packages: source.packages, ...source.tags, fills, follow: this.#follow, show } as const;
      const { shown = "" } = (await this.#ask<Answer>(request)).answer;
      await this.#reset();
      return shown;
    });
  }

  format(files: readonly File[], version = ""): Promise<readonly string[]> {
    return this.#enqueue(async () => (await this.#ask<Answer>({ call: "format", files, version })).answer.formatted ?? []);
  }

  withDeps(file: File, deps: Readonly<Record<string, string>>): Promise<string> {
    return this.#enqueue(async () => (await this.#ask<Answer>({ call: "deps", files: [file], deps })).answer.formatted?.[0] ?? "");
  }

  document(files: readonly File[], version = ""): Promise<Documented> {
    return this.#enqueue(async () => {
      const { documented } = (await this.#ask<Answer>({ call: "doc", files, version })).answer;
      return documented ?? { package: "", doc: "", fields: [] };
    });
  }

  release(): Promise<void> {
    return this.#enqueue(async () => {
      this.#loaded = undefined;
      this.#inWorker = false;
      await this.#host.release();
    });
  }

  close(): Promise<void> {
    return this.#enqueue(() => this.#host.close());
  }

  async #evaluate(source: Source, fills: readonly Fill[], afresh: boolean): Promise<Evaluation> {
    const root = decodeValue(this.#recall(source, fills) ?? (await this.#run(source, fills, afresh)), fills, this.#follow);
    return {
      root,
      fills,
      fill: (more) => this.#enqueue(() => this.#evaluate(source, [...fills, ...more], false)),
      exportJson: () => valueToData(root),
    };
  }

  #recall(source: Source, fills: readonly Fill[]): Exported | undefined {
    const known = this.#cache?.get("value", this.#question(source, fills));
    return known && (JSON.parse(known.toString("utf8")) as Exported);
  }

  /** All that an evaluation depends on. */
  #question(source: Source, fills: readonly Fill[]): unknown {
    return { packages: source.packages, tags: source.tags, fills, follow: this.#follow };
  }

  async #run(source: Source, fills: readonly Fill[], afresh: boolean): Promise<Exported> {
    const load = { call: "load", packages: source.packages, ...source.tags, fills, follow: this.#follow } as const;
    if (this.#loaded && (afresh || this.#loaded !== source)) await this.#reset();
    const request: Request = this.#loaded ? { call: "fill", fills } : load;
    this.#loaded = source;
    this.#inWorker ||= this.#needWorker.has(source);
    try {
      const { answer, text } = await this.#ask<Exported>(request, load);
      if (this.#inWorker) this.#needWorker.add(source);
      if (this.#mayKeep(text)) this.#cache?.put("value", this.#question(source, fills), Buffer.from(text));
      return answer;
    } catch (error) {
      await this.#reset();
      throw error;
    }
  }

  /** `again` is what to ask in the other thread, which has nothing loaded, when it is too much for this one. */
  async #ask<T extends Answer | Exported>(request: Request, again: Request = request): Promise<{ answer: T; text: string }> {
    let text: string;
    try {
      if (!this.#inWorker) await this.#host.prepare();
      text = this.#inWorker ? await this.#host.callInWorker(request) : this.#host.call(request);
    } catch (error) {
      if (!(error instanceof NeedsWorker)) throw await this.#lost(request, error);
      this.#inWorker = true;
      try {
        text = await this.#host.callInWorker(again);
      } catch (why) {
        throw await this.#lost(request, why);
      }
    }
    const answer = JSON.parse(text) as T & Answer & Partial<Exported>;
    if (answer.internal) {
      await this.#reset();
      throw crashed(request, answer.internal, answer.during);
    }
    if (answer.findings && answer.findings.length > 0) {
      const list = orderDiagnostics(answer.findings.map(decodeFinding));
      throw answer.nodes === undefined ? new UserError(2, list) : new WrongValues(list, answer as Exported);
    }
    return { answer, text };
  }

  /** What to tell when an instance did not live to give an answer. */
  async #lost(request: Request, error: unknown): Promise<unknown> {
    // What the system says of a file of ours is no failure of CUE.
    if (error instanceof UserError || (error instanceof Error && "code" in error)) return error;
    await this.#reset();
    const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return crashed(request, report);
  }

  async #reset(): Promise<void> {
    this.#loaded = undefined;
    this.#inWorker = false;
    await this.#host.reset();
  }

  #enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }
}

/** Values are wrong. What CUE could compute all the same is kept, so that more mistakes can be found in it. */
export class WrongValues extends UserError {
  readonly root: Value;
  /** References to nothing stand in `root` as any value: what is missing there may be their fault. */
  readonly guessed: boolean;

  constructor(diagnostics: readonly Diagnostic[], exported: Exported) {
    super(2, diagnostics);
    this.root = decodeValue(exported);
    this.guessed = exported.guessed === true;
  }
}

/** CUE itself failed: a person is told at which place or in which files, and what to do; the text for a bug report is the cause. */
function crashed(request: Request, report: string, during: readonly Position[] = []): UserError {
  const files = "files" in request ? request.files : "packages" in request ? (request.packages[0]?.files ?? []) : [];
  const at = during.length > 0 ? during : files.slice(0, 12).map(({ name }) => ({ file: name, line: 1, column: 1 }));
  const message = "CUE failed while it read this, by a mistake of its own";
  const hint = "Please report it: send the config, and what --debug prints";
  return new UserError(2, [{ code: "cue-crash", message, at, hint }], { cause: new Error(report) });
}
