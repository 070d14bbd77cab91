// Compiles every archive in this folder with the real CUE, and compares each stage with the text that stands beside its input.
// UPDATE=1 rewrites the archives. Sections: ops.txt, graph.txt, llb.txt, job.txt, or errors.txt when the config is wrong.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  compile,
  type Definition,
  type Frontends,
  type Job,
  printGraph,
  printOps,
  readOps,
  UserError,
  type Value,
} from "../../compiler/index.ts";
import { marshal, printDefinition, spliceDefinition } from "../../compiler/llb/index.ts";
import { createEvaluator, type Evaluator, readSource } from "../../runtime/cue/index.ts";
import { formatTxtar, parseTxtar } from "../support/txtar.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = join(here, "../..");
const sections = ["errors.txt", "ops.txt", "graph.txt", "llb.txt", "job.txt"];

let evaluator: Evaluator;
before(async () => {
  evaluator = await createEvaluator({ wasm: join(repository, "dist/cue.wasm"), follow: ["#up"] });
});
after(() => evaluator.close());

for (const name of (await readdir(here)).filter((file) => file.endsWith(".txtar")).sort()) {
  test(`the stages of ${name} are as its archive says`, async () => {
    const file = join(here, name);
    const text = await readFile(file, "utf8");
    const archive = parseTxtar(text);
    const input = new Map([...archive.files].filter(([section]) => !sections.includes(section)));
    const wanted = archive.comment
      .split("\n")
      .filter((line) => line.startsWith("# print "))
      .flatMap((line) => line.slice("# print ".length).split(" "));
    const stages = await compileStages(input, wanted);
    const got = formatTxtar({ comment: archive.comment, files: new Map([...input, ...stages]) });
    if (process.env["UPDATE"] === "1") await writeFile(file, got);
    else assert.equal(text, got);
  });
}

/** The printed stages by section. Errors stand alone: nothing is compiled from a wrong config. */
async function compileStages(input: ReadonlyMap<string, string>, wanted: readonly string[]): Promise<Map<string, string>> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-golden-"));
  try {
    for (const [name, content] of input) {
      await mkdir(dirname(join(dir, name)), { recursive: true });
      await writeFile(join(dir, name), content);
    }
    const source = await readSource(evaluator, dir, { cwd: dir, library: join(repository, "packages") });
    const { root } = await evaluator.load(source);
    const all = await printStages(root, input);
    return new Map([...all].filter(([section]) => wanted.length === 0 || wanted.includes(section)));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return new Map([["errors.txt", printErrors(error)]]);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function printStages(root: Value, input: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const config = new TextEncoder().encode(input.get("image.json") ?? "{}");
  const job = await compile(
    root,
    {
      images: {
        image: ({ ref }) => Promise.resolve({ identifier: `docker-image://${ref}`, attrs: {}, config }),
        layout: ({ dir, tag }) => Promise.resolve({ identifier: `oci-layout://${dir.slice(1)}:${tag ?? "latest"}`, attrs: {}, config }),
      },
      frontends: recordedFrontend(input, config),
    },
    {
      platform: { os: "linux", architecture: "amd64" },
      workspace: "/workspace",
      configDir: "/workspace",
      localUniqueId: "golden",
      helper: ({ architecture }) => ({ name: `dagger-helper-${architecture}`, dir: `/dagger/run/${architecture}`, at: [] }),
    },
  );
  return new Map([
    ["ops.txt", printOps(readOps(root), "text")],
    ["graph.txt", printGraph(job.graph, "text")],
    ["llb.txt", printDefinition(job.definition)],
    ["job.txt", printJob(job)],
  ]);
}

/** Stands for the daemon's Dockerfile frontend: its graph writes down what it was asked, on top of the context. */
function recordedFrontend(input: ReadonlyMap<string, string>, config: Uint8Array): Frontends {
  const options = { platform: { os: "linux", architecture: "amd64" }, localUniqueId: "golden" };
  const meta = { name: "[1/1] RUN what was asked", component: "", at: [] };
  const ignore = input.get(".dockerignore");
  return {
    serve: () => Promise.resolve(),
    readFirst: () => Promise.resolve(ignore === undefined ? undefined : new TextEncoder().encode(ignore)),
    localImages: () => Promise.resolve([]),
    dockerfile: ({ options: asked, inputs, file }) => {
      const data = new TextEncoder().encode(JSON.stringify({ file, ...asked, inputs: Object.keys(inputs) }));
      const base = spliceDefinition(inputs["context"]?.encoded ?? new Uint8Array(), { meta });
      const actions = [{ kind: "mkfile", path: "/asked", mode: 0o644, data } as const];
      return Promise.resolve({ definition: marshal({ vertex: { kind: "file", base, actions, meta }, index: 0 }, options).encoded, config });
    },
  };
}

/** What the engine has to serve and to read back. */
function printJob(job: Job): string {
  const lines = [
    ...job.values.map((value) => `value ${value.path} = ${value.format} in ${value.file}`),
    ...job.dirs.map((dir) => `save ${dir.path}: ${dir.prefix} → ${dir.dest}`),
    ...job.images.flatMap(imageLines),
    ...job.locals.map((local) => `local ${local.name} = ${local.dir}`),
    ...job.secrets.map((secret) => `secret ${secret.id}${secret.optional ? " (optional)" : ""}`),
    ...job.ssh.map(({ id, optional }) => `ssh ${id}${optional ? " (optional)" : ""}`),
    ...job.entitlements.map((entitlement) => `entitlement ${entitlement}`),
    ...job.deferred.map(({ path, missing }) => `deferred ${path} until ${missing.map((one) => one.path).join(", ")}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function imageLines({ target, attest, path, platforms, after, values }: Job["images"][number]): string[] {
  const where = target.kind === "push" ? "" : ` → ${target.dest} (${target.format})`;
  return [
    `${target.kind} ${path}: ${target.ref}${where}${values.map((value) => `, digest to ${value}`).join("")}`,
    ...(Object.keys(attest).length === 0 ? [] : [`  attest ${JSON.stringify(attest)}`]),
    ...(after === undefined ? [] : [`  after ${names(after)}`]),
    ...platforms.map(({ platform, definition, config }) => `  ${platform}: ${names(definition)} ${new TextDecoder().decode(config)}`),
  ];
}

function names({ nodes }: Definition): string {
  return nodes.flatMap(({ vertex }) => vertex?.meta.name ?? []).join(" → ") || "(empty)";
}

function printErrors(error: UserError): string {
  return error.diagnostics
    .map((diagnostic) => {
      const at = diagnostic.at.map(({ file, line, column }) => `  at ${file}:${line}:${column}\n`);
      const path = diagnostic.path === undefined ? "" : `  path ${diagnostic.path}\n`;
      const hint = diagnostic.hint === undefined ? "" : `  hint ${diagnostic.hint}\n`;
      return `${diagnostic.code}: ${diagnostic.message}\n${at.join("")}${path}${hint}`;
    })
    .join("");
}
