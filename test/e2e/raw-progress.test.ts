// What the daemon tells, told on: `--progress rawjson` against BuildKit's own client on the same LLB, and logs that the daemon cuts short.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { builtBinary } from "../support/buildkitd.ts";
import { busyboxLayout } from "../support/images.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

let bench: Bench;
let registry: TestRegistry;
before(async () => {
  [bench, registry] = await Promise.all([startBench(), startRegistry()]);
});
after(async () => {
  await Promise.all([bench.end(), registry.stop()]);
});

function write(name: string, ops: string): string {
  const dir = join(bench.dir, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "job.cue"), `package job\napp: #up: [\n  ${ops},\n]\n`);
  return `./${name}`;
}

type Json = Readonly<Record<string, unknown>>;
type SolveStatus = Readonly<Partial<Record<"vertexes" | "statuses" | "logs" | "warnings", readonly Json[]>>>;

function read(lines: string): SolveStatus[] {
  return lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as SolveStatus);
}

/** What a shell command writes to stderr, with the programs and the daemon of this test. */
async function stderrOf(command: string): Promise<string> {
  const env = { PATH: process.env["PATH"] ?? "", HOME: bench.dir, BUILDKIT_HOST: bench.daemon.address };
  const child = spawn("sh", ["-c", command], { cwd: bench.dir, env, stdio: ["ignore", "ignore", "pipe"] });
  return text(child.stderr);
}

/** Which fields objects have, and of which type: what a program that reads the one must understand of the other. */
function shapes(statuses: readonly SolveStatus[], kind: keyof SolveStatus): Record<string, string> {
  const fields = new Map<string, string>();
  for (const one of statuses.flatMap((status) => status[kind] ?? [])) {
    for (const [name, value] of Object.entries(one))
      fields.set(name, isTime(value) ? "time" : Array.isArray(value) ? "array" : typeof value);
  }
  return Object.fromEntries([...fields].sort());
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value);
}

test("rawjson has the objects, fields and types of BuildKit's client on the same LLB", async () => {
  const image = await busyboxLayout();
  const target = `docker://${registry.host}/busybox:1`;
  await promisify(execFile)("skopeo", ["copy", "-q", "--dest-tls-verify=false", `oci:${image.dir}:latest`, target]);
  const dir = write(
    "raw",
    `{do: "fetch-container", ref: "${registry.host}/busybox:1"}, {do: "exec", args: ["sh", "-c", "echo out; echo err >&2"]}`,
  );
  const said = await stderrOf(`${join(repository, "bin/dagger")} llb --format raw ${dir} > llb`);
  assert.equal(said, "");
  const ours = read((await bench.dagger(["up", "--progress", "rawjson", dir])).stderr);
  await bench.prune();
  const theirs = read(await stderrOf(`${builtBinary("buildctl")} --addr ${bench.daemon.address} build --progress rawjson < llb`));
  for (const kind of ["vertexes", "statuses", "logs"] as const) assert.deepEqual(shapes(ours, kind), shapes(theirs, kind), kind);
  assert.deepEqual(logsOf(ours), [
    [1, "out\n"],
    [2, "err\n"],
  ]);
  assert.deepEqual(logsOf(theirs), logsOf(ours));
  const graph = (statuses: readonly SolveStatus[]): string[] => [
    ...new Set(statuses.flatMap(({ vertexes = [] }) => vertexes.map(({ digest, inputs, name }) => JSON.stringify([digest, inputs, name])))),
  ];
  // Ours also resolves the image and brings results back.
  const missing = graph(theirs).filter((vertex) => !graph(ours).includes(vertex));
  assert.deepEqual(missing, []);
});

function logsOf(statuses: readonly SolveStatus[]): (readonly [unknown, string])[] {
  const logs = statuses.flatMap((status) => status.logs ?? []);
  return logs
    .map(({ stream, data }) => [stream, Buffer.from(data as string, "base64").toString()] as const)
    .sort(([a], [b]) => Number(a) - Number(b));
}

test("a log that the daemon cuts short says so in every mode, and how to get the whole", async () => {
  const script = "yes 0123456789 | head -c 4000000";
  const dir = write("long", `{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sh", "-c", "${script}"], always: true}`);
  for (const mode of ["plain", "json", "quiet", "rawjson"]) {
    const { code, stderr } = await bench.dagger(["up", "--progress", mode, dir]);
    assert.equal(code, 0, stderr);
    const said =
      mode === "rawjson"
        ? read(stderr)
            .flatMap(({ warnings = [] }) => warnings.map(plainWarning))
            .join("")
        : stderr;
    assert.equal(
      said.match(/Parts of the log of `exec sh -c .*` of app are missing: the daemon passes on 2(00)? [KM]iB(\/s)? of it/g)?.length,
      1,
      `${mode}: ${said}`,
    );
    assert.match(said, /BUILDKIT_STEP_LOG_MAX_SIZE=-1/);
    if (mode === "plain" || mode === "json") {
      assert.match(said, /\[output left out: the daemon passes on 2(00)? [KM]iB(\/s)? of a log\]/);
      assert.doesNotMatch(said, /output clipped/);
    }
  }
});

function plainWarning({ short, detail }: Json): string {
  return [short, ...(detail as readonly string[])].map((part) => Buffer.from(part as string, "base64").toString()).join("\n");
}
