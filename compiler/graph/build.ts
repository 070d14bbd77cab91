// Ops → graph: folds the ops of each program over a state, once per program, in order of need.
import type { Diagnostic, Position } from "../diagnostic.ts";
import type { Definition, Job, LocalSource } from "../job.ts";
import { formatPlatform } from "../llb/index.ts";
import { copyContents, fileOutput } from "../ops/files.ts";
import { specOf } from "../ops/op.ts";
import { relativeInside } from "../ops/path.ts";
import type { Program } from "../ops/program.ts";
import type { HostProcess, Login, LowerContext, ToolName } from "../ops/spec.ts";
import type { Computed, From, OpBase } from "../ops/use.ts";
import type { Frontends, ResolvedImage } from "../ports.ts";
import type { Value } from "../value.ts";
import type { BuildOptions, Built, BuiltDir, BuiltImage, BuiltValue, BuiltVerdict } from "./built.ts";
import { checkDirectory } from "./directory.ts";
import { Hosts } from "./host.ts";
import { allDone } from "./settle.ts";
import type { State } from "./state.ts";
import { emptyState } from "./state.ts";
import type { Output, Platform, Ref, VertexMeta } from "./vertex.ts";

/** What building a graph asks of the rest of the compiler and of the world. */
export interface BuildPorts {
  readonly images: ReadonlyMap<OpBase<string>, ResolvedImage>;
  readonly frontends: Frontends | undefined;
  readonly define: (fs: Output) => Definition;
}

/** Builds programs, each after those it uses, and keeps what the session has to serve for them. */
export class Builder {
  readonly problems: Diagnostic[] = [];
  readonly built: Map<Value, Built> = new Map();
  readonly locals: Map<string, LocalSource> = new Map();
  readonly secrets: Map<string, Job["secrets"][number]> = new Map();
  readonly ssh: Map<string, Job["ssh"][number]> = new Map();
  readonly entitlements: Set<Job["entitlements"][number]> = new Set();
  readonly hosts: Hosts;
  readonly options: BuildOptions;
  readonly #ports: BuildPorts;
  readonly #helpers = new Map<string, Output>();
  readonly #logins = new Map<string, Login>();

  constructor(options: BuildOptions, ports: BuildPorts) {
    this.options = options;
    this.#ports = ports;
    this.hosts = new Hosts(options, ports.define);
  }

  /** Builds programs that are given in order of need. Those that have to ask the daemon do so at the same time as others that do not wait for them. */
  async addAll(programs: readonly Program[]): Promise<void> {
    const waiting = new Map<Value, Promise<void>>();
    for (const program of programs) {
      const needs = program.uses.flatMap((use) => waiting.get(use.value) ?? []);
      const work = needs.length === 0 ? this.#add(program) : Promise.all(needs).then(() => this.#add(program));
      if (work !== undefined) waiting.set(program.value, work);
    }
    await allDone(waiting.values());
    // In order of need again, whoever was answered first.
    const built = programs.flatMap(({ value }) => this.built.get(value) ?? []);
    this.built.clear();
    for (const one of built) this.built.set(one.program.value, one);
  }

  /** Takes over what the session has to serve for another builder's graph. */
  adopt(other: Builder): void {
    for (const [name, local] of other.locals) this.locals.set(name, local);
    for (const { id, optional, at } of other.secrets.values()) this.#need(this.secrets, id, optional, at);
    for (const { id, optional, at } of other.ssh.values()) this.#need(this.ssh, id, optional, at);
    for (const name of other.entitlements) this.entitlements.add(name);
  }

  /** Works without a pause as long as no op has to ask. */
  #add(program: Program): Promise<void> | undefined {
    if (this.hosts.waits(program)) return undefined;
    const made: Made = { values: [], dirs: [], verdicts: [], images: [], steps: [] };
    const { steps } = made;
    const context = this.#context(program, made);
    const ops = program.ops.values();
    const step = (state: State): void => {
      if (state.fs?.vertex.kind === "exec" || state.fs?.vertex.kind === "raw") steps.push(state.fs);
    };
    const fold = (before: State): Promise<void> | undefined => {
      let state = before;
      for (const op of ops) {
        const next = specOf(op).lower(op, state, context);
        if (next instanceof Promise) {
          return next.then((answered) => {
            step(answered);
            return fold(answered);
          });
        }
        if (this.hosts.waiting.has(program.value)) return undefined;
        state = next;
        step(state);
      }
      this.built.set(program.value, { program, state, ...made });
      return undefined;
    };
    return fold(emptyState(this.options.platform));
  }

  #context(program: Program, made: Made): LowerContext {
    const { values, dirs, verdicts, images, steps } = made;
    const meta = (op: OpBase<string>, name: string): VertexMeta => ({
      name,
      component: program.component,
      at: op.place.at,
      ...(this.options.noCache === true ? { ignoreCache: true } : {}),
    });
    return {
      platform: this.options.platform,
      cacheScope: this.options.cacheScope ?? "",
      component: program.component,
      meta,
      problem: (diagnostic) => void this.problems.push(diagnostic),
      load: (from) => this.#load(from),
      computed: (text) => this.computed(text),
      image: (op) => this.#ports.images.get(op),
      directory: (path, op, field) => checkDirectory(path, op, field, this.options, this.problems),
      local: (dir, at) => this.#local(dir, at),
      runPlatform: this.options.runPlatform ?? this.options.platform,
      tool: (program, platform) => this.#program(program, platform),
      helper: (platform) => this.#program("dagger-run", platform),
      host: (op, state, process) => this.#host(program, op, state, process, meta(op, wordsOf(op))),
      frontends: (op) => this.#frontends(op),
      define: (fs) => this.#ports.define(fs),
      secret: (id, optional, at) => this.#need(this.secrets, id, optional, at),
      login: (login) => this.#login(login),
      ssh: (id, optional, at) => this.#need(this.ssh, id, optional, at),
      never: this.options.run === undefined ? undefined : `dagger-run-${this.options.run}`,
      locked: this.options.locked,
      knownHosts: (host) => this.options.knownHosts?.(host),
      entitlement: (name) => void this.entitlements.add(name),
      exportValue: (op, format, from) => void (program.named && values.push({ op, format, from })),
      saveDir: (op, from, src, dest, exact) =>
        void (isBorrowed(program) || dirs.push({ op, meta: meta(op, wordsOf(op)), from, src, dest, exact })),
      verdict: (op, from) => void (isBorrowed(program) || verdicts.push({ op, from })),
      outputImage: (op, state, wanted) =>
        void (isBorrowed(program) || images.push({ op, meta: meta(op, wordsOf(op)), state, ...wanted, after: [...steps] })),
    };
  }

  #host(program: Program, op: OpBase<string>, state: State, process: HostProcess, meta: VertexMeta): Output | undefined {
    const added = this.hosts.add(program, { op, state, process, meta, computed: (text) => this.computed(text) });
    if (added?.local !== undefined) this.locals.set(added.local.name, added.local);
    return added?.files;
  }

  async #frontends(op: OpBase<string>): Promise<Frontends | undefined> {
    await this.#ports.frontends?.serve([...this.locals.values()]);
    if (this.#ports.frontends === undefined) {
      this.problems.push({
        code: "no-daemon",
        message: `Op ${op.do} has to ask a BuildKit daemon, and none may be asked here`,
        path: op.place.path,
        at: op.place.at,
      });
    }
    return this.#ports.frontends;
  }

  #load(from: From): State {
    return this.built.get(from.value)?.state ?? emptyState(this.options.platform);
  }

  /** The filesystem whose file `/value` is the text that a component exports. */
  computed(text: Computed): Ref {
    return this.built.get(text.value)?.values.findLast((value) => value.format === "string")?.from ?? null;
  }

  /** Directories are named by their place in the workspace: headers of the session want plain letters. */
  #local(dir: string, at: readonly Position[]): { name: string; unique?: string } {
    const path = relativeInside(this.options.workspace, dir) ?? dir;
    const name = path.split("/").map(encodeURIComponent).join("/");
    if (!this.locals.has(name)) this.locals.set(name, { name, dir, at });
    const { localUnique } = this.options;
    return localUnique === undefined ? { name } : { name, unique: localUnique(dir) };
  }

  #program(program: ToolName, platform: Platform): Output {
    const key = `${program} ${formatPlatform(platform)}`;
    const known = this.#helpers.get(key);
    if (known !== undefined) return known;
    const source = this.options.helper(platform);
    this.locals.set(source.name, source);
    const { localUnique } = this.options;
    const helper = program === "dagger-run";
    const meta: VertexMeta = { name: helper ? "helper for computed values" : program, component: "", at: [] };
    const attrs = {
      "local.sharedkeyhint": helper ? source.name : `${source.name}:${program}`,
      "local.includepattern": JSON.stringify([program]),
      ...(localUnique === undefined ? {} : { "local.unique": localUnique(source.dir) }),
    };
    const files: Output = { vertex: { kind: "source", identifier: `local://${source.name}`, attrs, meta }, index: 0 };
    const output = fileOutput(null, [copyContents(files, "/", "/", { mode: 0o755 })], meta);
    this.#helpers.set(key, output);
    return output;
  }

  #login(login: Login): void {
    const known = this.#logins.get(login.target) ?? login;
    this.#logins.set(login.target, known);
    if (known.username === login.username && known.secret === login.secret) return;
    this.problems.push({
      code: "login-conflict",
      message: `Two different logins for the registry ${login.target}: a job has one for each registry`,
      at: [...login.at, ...known.at],
      hint: "Keep one of them, or make two jobs",
    });
  }

  /** A secret or an agent is optional only when every step that asks for it can do without. */
  #need(needs: Map<string, Job["secrets"][number]>, id: string, optional: boolean, at: readonly Position[]): void {
    const known = needs.get(id);
    if (known === undefined || (known.optional && !optional)) needs.set(id, { id, optional, at });
  }
}

/** What a program has made so far. */
interface Made {
  readonly values: BuiltValue[];
  readonly dirs: BuiltDir[];
  readonly verdicts: BuiltVerdict[];
  readonly images: BuiltImage[];
  readonly steps: Output[];
}

function wordsOf(op: OpBase<string>): string {
  return specOf(op as never).words(op as never);
}

/** The ops of another component, as in `from: other.#up`: that one saves its files itself. */
function isBorrowed(program: Program): boolean {
  return !program.named && program.value.path.endsWith("#up");
}
