// A saved plan: what a run was planned from, in a file. A run with it does exactly that, or is refused with what has changed.
import { hash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { isAbsolute, relative, resolve } from "node:path";
import { type Diagnostic, describeDefinition, inputError, type Job, UserError } from "../../compiler/index.ts";
import { scopedId } from "../../runtime/session/index.ts";
import type { Config } from "../config/config.ts";
import { type Setting, showSetting } from "../settings/setting.ts";
import { version } from "../version.ts";
import { contentsOf, uploadOf } from "./uploads.ts";

/** What a plan is the plan of. Paths are absolute, those in inputs, too. */
export interface PlannedRequest {
  readonly dir: string;
  readonly targets: readonly string[];
  readonly inputs: readonly string[];
  readonly tags: readonly string[];
  readonly injectVars: boolean;
  /** The environment of a stack whose config it is; what it sets is read anew by the run, and held against the plan. */
  readonly stack?: { readonly stack: string; readonly environment: string; readonly root: string };
}

/** All that decides what a run does, by name: each has its digest or contents. */
export interface PlannedWorld {
  readonly "Config file": Readonly<Record<string, string>>;
  readonly Input: Readonly<Record<string, string>>;
  /** Where an environment takes secrets and sockets from; its other settings are inputs. */
  readonly Setting: Readonly<Record<string, string>>;
  readonly Image: Readonly<Record<string, string>>;
  readonly "Local file": Readonly<Record<string, string>>;
  /** The ops of the first pass, whatever run they are of. */
  readonly definition: string;
  readonly dagger: string;
  /** Who made it, and where: directories and cache mounts are named after both. */
  readonly owner: string;
}

export interface SavedPlan {
  readonly format: 2;
  readonly request: PlannedRequest;
  readonly world: PlannedWorld;
}

export interface WorldFacts {
  /** Of the environment of a stack. */
  readonly settings?: ReadonlyMap<string, Setting> | undefined;
  readonly config: Pick<Config, "source" | "evaluation" | "own" | "clientId">;
  readonly job: Job;
  /** Digests of images that were asked for, by reference. */
  readonly images: ReadonlyMap<string, string>;
  /** The name of the run that the job was compiled for. */
  readonly run: string;
  /** What names of config files are relative to. */
  readonly cwd: string;
}

/** Looks at all that decides what a run does. Reads every file that it would upload. */
export function lookAround({ settings = new Map(), config, job, images, run, cwd }: WorldFacts): PlannedWorld {
  const own = config.source.packages.filter((each) => each.own).flatMap(({ files }) => files);
  const files = own.flatMap(({ name, text, embedded = [] }) => [
    [resolve(cwd, name), text] as const,
    ...embedded.map((file) => [resolve(cwd, file.name), file.data ?? file.kind] as const),
  ]);
  return {
    "Config file": digests(files),
    Input: digests(config.evaluation.fills.map(({ path, text = "", json = "" }) => [path, JSON.stringify([text, json])])),
    Setting: digests([...settings].flatMap(([path, setting]) => (isReference(setting) ? [[path, showSetting(setting)] as const] : []))),
    Image: imagesOf(job, images),
    "Local file": uploadsOf(job, config.own),
    definition: definitionPrint(job, run),
    dagger: version.dagger,
    owner: scopedId(config.clientId, "plan"),
  };
}

function isReference({ kind }: Setting): boolean {
  return kind === "secret" || kind === "socket";
}

function digests(texts: readonly (readonly [name: string, text: string])[]): Record<string, string> {
  return Object.fromEntries(texts.map(([name, text]) => [name, hash("sha256", text)] as const));
}

/** Where the digest is not in the graph, it is what the daemon said. */
function imagesOf(job: Job, asked: ReadonlyMap<string, string>): Record<string, string> {
  const found = definitionsOf(job).flatMap((definition) =>
    describeDefinition(definition).flatMap(({ name, fields }) => {
      const { identifier = "" } = fields as { readonly identifier?: string };
      const [, ref = ""] = /^(?:docker-image|oci-layout):\/\/(.*)$/.exec(identifier) ?? [];
      return ref === "" ? [] : [[name, /@(sha256:.*)$/.exec(ref)?.[1] ?? asked.get(ref) ?? ""] as const];
    }),
  );
  return Object.fromEntries([...new Map(found)].sort());
}

function uploadsOf(job: Job, own: readonly string[]): Record<string, string> {
  const vertices = new Set(definitionsOf(job).flatMap(({ nodes }) => nodes.flatMap((node) => node.vertices)));
  const all: Record<string, string> = {};
  for (const vertex of vertices) {
    const dir = uploadOf(vertex, job, own);
    if (dir === undefined) continue;
    for (const [path, content] of Object.entries(contentsOf(vertex, dir))) all[resolve(dir, path)] = content;
  }
  return all;
}

function definitionsOf(job: Job): Job["definition"][] {
  const images = job.images.flatMap(({ platforms, after }) => [
    ...platforms.map(({ definition }) => definition),
    ...(after === undefined ? [] : [after]),
  ]);
  return [job.definition, ...images].filter(({ ops }) => ops.length > 0);
}

/**
 * A digest of all ops in which the name of the run does not count: steps that run always carry it, and the digest of an op is in those
 * that use it.
 */
function definitionPrint(job: Job, run: string): string {
  const same = new Map<string, string>();
  const parts = definitionsOf(job).map(({ ops, nodes }) =>
    ops.map((bytes, index) => {
      const text = Buffer.from(bytes).toString("latin1").replaceAll(run, "RUN");
      const print = hash(
        "sha256",
        text.replace(/sha256:[0-9a-f]{64}/g, (digest) => same.get(digest) ?? digest),
      );
      const digest = nodes[index]?.digest;
      if (digest !== undefined) same.set(digest, `sha256:${print}`);
      return print;
    }),
  );
  const outputs = [
    job.values,
    job.dirs,
    job.images.map(({ target, attest, platforms }) => [target, attest, platforms.map((one) => Buffer.from(one.config).toString())]),
  ];
  return hash("sha256", JSON.stringify([parts, outputs]));
}

/** Writes a plan. Throws UserError (3) when it cannot. */
export async function savePlan(file: string, cwd: string, plan: SavedPlan): Promise<void> {
  try {
    await writeFile(resolve(cwd, file), `${JSON.stringify(plan, null, 2)}\n`, { mode: 0o600 });
  } catch (error) {
    const message = `Cannot write the plan to ${file}: ${(error as Error).message}`;
    throw new UserError(3, [{ code: "plan-not-written", message, at: [], hint: "Name a file in a directory that you may write to" }]);
  }
}

/** Reads a plan. Throws UserError (2) `bad-plan`. */
export async function readPlan(file: string, cwd: string): Promise<SavedPlan> {
  const bad = (why: string): UserError =>
    inputError({
      code: "bad-plan",
      message: `Cannot use the plan in ${file}: ${why}`,
      at: [],
      hint: `Make one with \`dagger plan --out ${file}\``,
    });
  let plan: unknown;
  try {
    plan = JSON.parse(await readFile(resolve(cwd, file), "utf8"));
  } catch (error) {
    throw bad(error instanceof SyntaxError ? "it is no JSON" : (error as Error).message);
  }
  if (typeof plan !== "object" || plan === null || !("format" in plan) || !("request" in plan) || !("world" in plan))
    throw bad("it is no plan");
  if (plan.format !== 2) throw bad(`it has format ${String(plan.format)}, and this dagger knows format 2 only`);
  return plan as SavedPlan;
}

/** Throws UserError (2) `plan-outdated` that names all that is not as it was. */
export function checkPlan(file: string, { world: then }: SavedPlan, now: PlannedWorld, cwd: string): void {
  const since = `since ${file} was made`;
  const kinds = ["Config file", "Input", "Setting", "Image", "Local file"] as const;
  const found = kinds.flatMap((kind) => differences(kind, then[kind], now[kind], cwd).map((text) => `${text} ${since}`));
  if (found.length === 0 && then.owner !== now.owner) found.push(`The plan ${file} was made by another user, or on another machine`);
  if (found.length === 0 && then.dagger !== now.dagger) found.push(`The version of dagger is ${now.dagger}, and no longer ${then.dagger}`);
  if (found.length === 0 && then.definition !== now.definition) {
    found.push("The graph is another one: the daemon, dagger.lock, flags or the environment give other ops");
  }
  if (found.length === 0) return;
  const told = found.slice(0, 12);
  if (found.length > told.length) told.push(`${found.length - told.length} more things are not as they were`);
  throw inputError(
    ...told.map((message, index): Diagnostic => {
      const hint = index === told.length - 1 ? { hint: `Nothing was run; make a new plan with \`dagger plan --out ${file}\`` } : {};
      return { code: "plan-outdated", message, at: [], ...hint };
    }),
  );
}

function differences(kind: string, then: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>, cwd: string): string[] {
  const names = [...new Set([...Object.keys(then), ...Object.keys(now)])].sort();
  return names.flatMap((name) => {
    const [before, after] = [then[name], now[name]];
    if (before === after) return [];
    const shown = isAbsolute(name) ? relative(cwd, name) : name;
    if (before === undefined) return [`${kind} ${shown} was added`];
    if (after === undefined) return [`${kind} ${shown} is gone`];
    return [kind === "Image" ? `${kind} ${shown} is ${after}, and no longer ${before},` : `${kind} ${shown} has changed`];
  });
}
