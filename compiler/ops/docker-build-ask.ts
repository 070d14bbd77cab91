// Asks the Dockerfile frontend for a docker-build op: what it is given, and how its answer becomes state.
import { emptyState, type State } from "../graph/state.ts";
import type { FileVertex, Output, Platform, RawVertex, Ref, SourceVertex, Vertex } from "../graph/vertex.ts";
import { buildOrder } from "../graph/walk.ts";
import type { Definition } from "../job.ts";
import { cleanPath, execSessionNeeds, formatPlatform, localAttrs, spliceDefinition } from "../llb/index.ts";
import type { Frontends } from "../ports.ts";
import { checkFrontend, lockedSource } from "./docker-build-locks.ts";
import type { DockerBuildOp } from "./docker-build-op.ts";
import { readIgnoreFile } from "./dockerignore.ts";
import { copyContents, fileOutput, given } from "./files.ts";
import { configState, imageState, stateConfig } from "./image.ts";
import type { LowerContext } from "./spec.ts";

const DEFAULT_DOCKERFILE = "Dockerfile";

export async function askDockerfile(op: DockerBuildOp, context: LowerContext, words: string): Promise<State> {
  const platform = platformFor(op, context.platform);
  const frontends = await context.frontends(op);
  if (frontends === undefined) return emptyState(platform);
  const inputs = new Inputs(context);
  const options: Record<string, string> = { platform: formatPlatform(platform), ...plainOptions(op) };
  const file = await addFiles(op, context, frontends, inputs, words);
  await addContexts(op, context, frontends, inputs, options, platform);
  const text = context.locked === undefined ? "" : await readDockerfile(op, frontends, inputs);
  checkFrontend(op, text, options, context);
  const answer = await frontends.dockerfile({ options, inputs: inputs.definitions, file, path: op.place.path, at: op.place.at });
  const fs = spliceDefinition(answer.definition, {
    meta: context.meta(op, words),
    known: inputs.known,
    fileName: () => file,
    ...given("replace", lockedSource(op, { file, text }, context)),
  });
  needSession(op, fs, inputs.known, context);
  return { ...configState(answer.config, fs, platform), ...given("platforms", op.platforms) };
}

/** The job's platform when the op builds for it, else the first that the op names. */
function platformFor(op: DockerBuildOp, platform: Platform): Platform {
  const wanted = op.platforms?.find((one) => formatPlatform(one) === formatPlatform(platform));
  return wanted ?? op.platforms?.[0] ?? platform;
}

function plainOptions(op: DockerBuildOp): Record<string, string> {
  const hosts = op.hosts.map(([host, ip]) => `${host}=${ip}`).join(",");
  return {
    filename: op.dockerfile === undefined ? (op.dockerfilePath ?? DEFAULT_DOCKERFILE) : DEFAULT_DOCKERFILE,
    ...(op.target === undefined ? {} : { target: op.target }),
    ...(hosts === "" ? {} : { "add-hosts": hosts }),
    ...Object.fromEntries(op.buildArg.map(([arg, value]) => [`build-arg:${arg}`, value])),
    ...Object.fromEntries(op.label.map(([label, value]) => [`label:${label}`, value])),
  };
}

/** The filesystems that the frontend is given, and their vertices by digest: those stay our own. */
class Inputs {
  readonly definitions: Record<string, Definition> = {};
  readonly known = new Map<string, Vertex>();
  readonly #context: LowerContext;

  constructor(context: LowerContext) {
    this.#context = context;
  }

  add(name: string, fs: Output): void {
    const definition = this.#context.define(fs);
    this.definitions[name] = definition;
    for (const { digest, vertex } of definition.nodes) if (vertex !== undefined) this.known.set(digest, vertex);
  }
}

/** `context` and `dockerfile`; gives the name of the Dockerfile for people. `.dockerignore` holds for the context, not for the Dockerfile. */
async function addFiles(op: DockerBuildOp, context: LowerContext, frontends: Frontends, inputs: Inputs, words: string): Promise<string> {
  const meta = context.meta(op, `${words}: Dockerfile`);
  const files = op.context === undefined ? null : context.load(op.context).fs;
  const path = op.dockerfilePath ?? DEFAULT_DOCKERFILE;
  const local = localSource(files);
  const file = op.dockerfile === undefined ? nameIn(local, path) : `${op.place.path}.dockerfile`;
  const text = new TextEncoder().encode(op.dockerfile ?? "");
  const write = { kind: "mkfile", path: `/${DEFAULT_DOCKERFILE}`, mode: 0o644, data: text } as const;
  const dockerfile =
    op.dockerfile !== undefined
      ? fileOutput(null, [write], meta)
      : local === undefined
        ? filled(files, meta)
        : narrowed(local, { include: [path, `${path}.dockerignore`] }, "dockerfile", meta);
  inputs.add("dockerfile", dockerfile);
  if (files === null) {
    // Without one the frontend would ask the client for a directory.
    inputs.add("context", filled(null, meta));
    return file;
  }

  const ignored =
    local === undefined ? files : narrowed(local, { include: [`${path}.dockerignore`, ".dockerignore"] }, "dockerignore", meta);
  const ignoreFiles = op.dockerfile === undefined ? [`${path}.dockerignore`, ".dockerignore"] : [".dockerignore"];
  const bytes = await frontends.readFirst(context.define(ignored), ignoreFiles);
  const exclude = bytes === undefined ? [] : readIgnoreFile(bytes);
  const contextMeta = context.meta(op, `${words}: context`);
  const kept =
    exclude.length === 0
      ? files
      : local === undefined
        ? fileOutput(null, [copyContents(files, "/", "/", { exclude })], contextMeta)
        : narrowed(local, { exclude }, "context", contextMeta);
  inputs.add("context", kept);
  return file;
}

/** "" when there is none: the frontend tells that. */
async function readDockerfile(op: DockerBuildOp, frontends: Frontends, { definitions }: Inputs): Promise<string> {
  const definition = definitions["dockerfile"];
  if (op.dockerfile !== undefined || definition === undefined) return op.dockerfile ?? "";
  const bytes = await frontends.readFirst(definition, [op.dockerfilePath ?? DEFAULT_DOCKERFILE]);
  return new TextDecoder().decode(bytes);
}

/** On the client, as far as it comes from there. */
function nameIn(local: SourceVertex | undefined, path: string): string {
  if (local === undefined) return path;
  return cleanPath(`${decodeURIComponent(local.identifier.slice("local://".length))}/${path}`);
}

/** An empty filesystem cannot be handed over: one that was made and has nothing in it can. */
function filled(fs: Ref, meta: SourceVertex["meta"]): Output {
  return fs ?? fileOutput(null, [{ kind: "mkdir", path: "/", mode: 0o755, makeParents: true }], meta);
}

/** The client's directory behind a `local` op that takes all of it: of that, less can be uploaded. */
function localSource(fs: Ref): SourceVertex | undefined {
  if (fs?.vertex.kind !== "file" || fs.vertex.base !== null || fs.vertex.actions.length !== 1) return undefined;
  const [action] = (fs.vertex satisfies FileVertex).actions;
  const source = action?.kind === "copy" && action.src === "/" && action.dest === "/" ? action.from?.vertex : undefined;
  if (source?.kind !== "source" || !source.identifier.startsWith("local://")) return undefined;
  const whole = !["local.includepattern", "local.excludepatterns", "local.followpaths"].some((attr) => attr in source.attrs);
  return whole ? source : undefined;
}

/** A transfer of its own: one that shared the hint of the whole directory would throw away what that had sent. */
function narrowed(
  source: SourceVertex,
  patterns: { include?: string[]; exclude?: string[] },
  part: string,
  meta: SourceVertex["meta"],
): Output {
  const sharedKeyHint = `${source.attrs["local.sharedkeyhint"] ?? ""}:${part}`;
  const attrs = { ...source.attrs, ...localAttrs({ ...patterns, sharedKeyHint }) };
  const narrow = { vertex: { ...source, attrs, meta: { ...meta, name: `${meta.name} (upload)` } }, index: 0 };
  return fileOutput(null, [copyContents(narrow, "/", "/")], meta);
}

/** Named contexts of the op, and images of this machine under their own names. */
async function addContexts(
  op: DockerBuildOp,
  context: LowerContext,
  frontends: Frontends,
  inputs: Inputs,
  options: Record<string, string>,
  platform: Platform,
): Promise<void> {
  const give = (name: string, input: string, state: State): void => {
    const meta = context.meta(op, `docker-build: context ${name}`);
    inputs.add(input, filled(state.fs, meta));
    options[`context:${name}`] = `input:${input}`;
    options[`input-metadata:${input}`] = JSON.stringify({ "containerimage.config": base64(stateConfig(state)) });
  };
  // A Dockerfile may also build on the job's own platform for another one.
  for (const each of new Map([platform, context.platform].map((one) => [formatPlatform(one), one])).values()) {
    for (const { ref, image } of await frontends.localImages(each)) {
      const name = `${familiar(ref)}::${formatPlatform(each)}`;
      give(name, name, imageState(image, each, context.meta(op, `docker-build: image ${ref}`)));
    }
  }
  for (const [n, [name, given]] of op.contexts.entries()) {
    if (typeof given === "string") options[`context:${name}`] = given;
    else give(name, `context-${n}`, context.load(given));
  }
}

/** A reference as the Dockerfile frontend looks it up: without what everybody leaves out. */
function familiar(ref: string): string {
  return ref.replace(/^docker\.io\/(library\/)?/, "").replace(/:latest$/, "");
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** What the Dockerfile's steps want of the session. Only what the op names is given: a Dockerfile may come from elsewhere. */
function needSession(op: DockerBuildOp, fs: Ref, known: ReadonlyMap<string, Vertex>, context: LowerContext): void {
  for (const id of op.secrets) context.secret(id, false, op.place.fields.get("secrets") ?? op.place.at);
  for (const id of op.ssh) context.ssh(id, false, op.place.fields.get("ssh") ?? op.place.at);
  const own = new Set(known.values());
  const raws = buildOrder([fs]).filter((vertex): vertex is RawVertex => vertex.kind === "raw" && !own.has(vertex));
  for (const raw of raws) {
    const needs = execSessionNeeds(raw.bytes);
    const refuse = (what: string, field: string, id: string): void =>
      context.problem({
        code: "not-listed",
        message: `The Dockerfile wants the ${what} ${JSON.stringify(id)}, which the op does not give it`,
        path: op.place.path,
        at: raw.meta.at,
        hint: `If it may have it, write ${field}: [${JSON.stringify(id)}]`,
      });
    for (const name of needs.entitlements) {
      context.problem({
        code: "not-allowed",
        message: `The Dockerfile has a step that needs ${name}, which docker-build does not give to it`,
        path: op.place.path,
        at: raw.meta.at,
        hint: name === "network.host" ? 'Run it by an exec with network: "host"' : "Run it by an exec with insecure: true",
      });
    }
    for (const { id } of needs.secrets) if (!op.secrets.includes(id)) refuse("secret", "secrets", id);
    for (const { id } of needs.ssh) if (!op.ssh.includes(id)) refuse("SSH agent", "ssh", id);
  }
}
