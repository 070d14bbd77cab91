// Tests of the whole compiler on Values made by hand: size, targets, images, passes. Goldens (test/golden) show each op.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Incomplete, makeValue } from "../test/support/value.ts";
import { type CompileOptions, compile } from "./compile.ts";
import { inputError, UserError } from "./diagnostic.ts";
import type { Job } from "./job.ts";
import type { Frontends, ImageRequest, Ports, ResolvedImage } from "./ports.ts";

const options: CompileOptions = {
  platform: { os: "linux", architecture: "amd64" },
  workspace: "/work",
  configDir: "/work/app",
  localUniqueId: "test",
  helper: ({ architecture }) => ({ name: `helper-${architecture}`, dir: `/helper/${architecture}`, at: [] }),
};

const noImages: Ports = {
  images: { image: (request) => Promise.reject(notFound(request)), layout: () => Promise.reject(new Error("unused")) },
};

function notFound({ ref, at }: ImageRequest): UserError {
  return new UserError(1, [{ code: "image-not-found", message: `No image ${ref}`, at }]);
}

function up(data: unknown, more: Partial<CompileOptions> = {}, ports: Ports = noImages): Promise<Job> {
  return compile(makeValue(data), ports, { ...options, ...more });
}

async function problems(data: unknown, more: Partial<CompileOptions> = {}): Promise<UserError["diagnostics"]> {
  const error = await up(data, more).then(
    () => assert.fail("it compiled"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.equal(error.exit, 2);
  return error.diagnostics;
}

const exec = (...args: unknown[]): object => ({ do: "exec", args });
const load = (from: unknown): object => ({ do: "load", from });
const computed = (...ops: unknown[]): Incomplete => new Incomplete("string", { "#up": [...ops, { do: "export", source: "/v" }] });
/** Vertices of a job, without the one that collects and the terminal op. */
const steps = (job: Job): number => job.definition.nodes.length - 2;

test("a diamond of components 64 levels deep has one vertex per op", async () => {
  const all: Record<string, unknown> = {};
  let last: unknown = { "#up": [exec("base")] };
  all["c0"] = last;
  for (let level = 1; level <= 64; level++) {
    last = {
      "#up": [
        { do: "copy", from: last },
        { do: "copy", from: last, dest: "/b" },
      ],
    };
    all[`c${level}`] = last;
  }
  assert.equal(steps(await up(all)), 1 + 64 * 2);
});

test("a diamond of inline op lists is read once per list", async () => {
  let inline: unknown = [exec("base")];
  for (let level = 0; level < 64; level++)
    inline = [
      { do: "copy", from: inline },
      { do: "copy", from: inline, dest: "/b" },
    ];
  assert.equal(steps(await up({ app: { "#up": inline } })), 1 + 64 * 2);
});

test("2,000 ops in 200 components are 2,000 vertices", async () => {
  const all: Record<string, { "#up": unknown[] }> = {};
  for (let c = 0; c < 200; c++) {
    const ops: unknown[] = Array.from({ length: 10 }, (_, i) => exec("step", String(c), String(i)));
    all[`c${c}`] = { "#up": c === 0 ? ops : [load(all[`c${c - 1}`]), ...ops] };
  }
  const job = await up(all);
  assert.equal(steps(job), 2000);
  assert.equal(job.graph.components.length, 200);
});

test("a chain of 5,000 components does not overflow the stack", async () => {
  const all: Record<string, unknown> = { c0: { "#up": [exec("base")] } };
  for (let c = 1; c <= 5000; c++) all[`c${c}`] = { "#up": [load(all[`c${c - 1}`]), exec("step")] };
  assert.equal(steps(await up(all)), 5001);
});

test("a list of 500 nested inline ops does not overflow the stack", async () => {
  let inline: unknown = { do: "scratch" };
  for (let level = 0; level < 500; level++) inline = [load(inline), exec("step")];
  assert.equal(steps(await up({ app: { "#up": inline } })), 500);
});

test("every component runs: a leaf that gives nothing is an input of the last vertex", async () => {
  const base = { "#up": [exec("base")] };
  const job = await up({ base, leaf: { "#up": [load(base), exec("leaf")] }, dropped: { "#up": [exec("push"), { do: "scratch" }] } });
  const last = job.graph.terminal?.vertex;
  assert.ok(last?.kind === "file");
  const forced = last.also?.map((output) => output.vertex.meta.name);
  assert.deepEqual(forced, ["exec leaf", "exec push"]);
});

test("a config without components has nothing to run", async () => {
  const job = await up({ name: "x", empty: { "#up": [] } });
  assert.equal(job.graph.terminal, null);
  assert.deepEqual(job.definition.ops, []);
});

test("the whole config may be one component", async () => {
  const job = await up({ "#up": [exec("x"), { do: "save-dir", dest: "out" }] });
  assert.deepEqual(
    job.graph.components.map((component) => component.path),
    [""],
  );
  assert.deepEqual(
    job.dirs.map((dir) => dir.dest),
    ["/work/app/out"],
  );
});

test("targets choose components, and the structs that hold some", async () => {
  const data = { app: { build: { "#up": [exec("build")] }, test: { "#up": [exec("test")] } }, docs: { "#up": [exec("docs")] } };
  const named = async (...targets: string[]): Promise<string[]> => (await up(data, { targets })).graph.components.map(({ path }) => path);
  assert.deepEqual(await named("docs"), ["docs"]);
  assert.deepEqual(await named("app"), ["app.build", "app.test"]);
  assert.deepEqual(await named("docs", "app.test"), ["app.test", "docs"]);
});

test("of a target's needs only the files are used, their values and directories do not come back", async () => {
  const base = { "#up": [exec("base"), { do: "save-dir", dest: "base" }] };
  const job = await up({ base, app: { "#up": [load(base), { do: "save-dir", dest: "app" }] } }, { targets: ["app"] });
  assert.deepEqual(
    job.dirs.map((dir) => dir.dest),
    ["/work/app/app"],
  );
});

test("unknown targets are told with the nearest names", async () => {
  const [first, second] = await problems({ build: { "#up": [] }, data: { x: 1 } }, { targets: ["biuld", "data"] });
  assert.equal(first?.message, "No component biuld in this config");
  assert.equal(first?.hint, "Did you mean build?");
  assert.match(second?.message ?? "", /Target data is no component/);
});

test("mistakes outside of the targets are told all the same", async () => {
  const found = await problems({ a: { "#up": [exec("a")] }, b: { "#up": [{ do: "exce" }] } }, { targets: ["a"] });
  assert.deepEqual(
    found.map((problem) => problem.code),
    ["unknown-op"],
  );
});

test("a cycle of components is told as a path, each once", async () => {
  const a: { "#up": unknown[] } = { "#up": [] };
  const b = { "#up": [load(a)] };
  a["#up"].push({ do: "copy", from: b }, { do: "copy", from: [load(b)], dest: "/x" });
  const found = await problems({ a, b });
  assert.equal(found[0]?.code, "component-cycle");
  assert.equal(found[0]?.message, "Components need each other: a → b → a");
  assert.equal(found.length, 1);
});

test("images are asked for at once, each once per platform, and all that fail are told", async () => {
  const asked: string[] = [];
  const image = (request: ImageRequest): Promise<ResolvedImage> => {
    asked.push(`${request.ref} ${request.platform.architecture}`);
    return Promise.reject(notFound(request));
  };
  const fetch = (ref: string, platform?: string): object => ({
    "#up": [{ do: "fetch-container", ref, ...(platform ? { platform } : {}) }],
  });
  const data = { a: fetch("debian"), b: fetch("docker.io/library/debian:latest"), c: fetch("debian", "arm64"), d: fetch("alpine:3") };
  const error = await up(data, {}, { images: { ...noImages.images, image } }).catch((reason: unknown) => reason);
  assert.deepEqual(asked, [
    "docker.io/library/debian:latest amd64",
    "docker.io/library/debian:latest arm64",
    "docker.io/library/alpine:3 amd64",
  ]);
  assert.ok(error instanceof UserError);
  assert.equal(error.exit, 1);
  assert.equal(error.diagnostics.length, 3);
});

test("a bug in the image port is no user error", async () => {
  const images = { ...noImages.images, image: () => Promise.reject(new TypeError("bug")) };
  await assert.rejects(up({ a: { "#up": [{ do: "fetch-container", ref: "a" }] } }, {}, { images }), TypeError);
});

test("a computed value stays mounted after a pass has filled it in, so later passes build the same graph", async () => {
  const url = computed(exec("deploy"));
  const user = (value: unknown): object => ({ "#up": [exec("use", value), { do: "write-file", dest: "/f", content: value }] });
  const before = await up({ url, user: user(url) });
  // Filled in, the value is a string that still has its #up.
  const filled = { path: "url", kind: "string" as const, scalar: "http://x" };
  const root = makeValue({ url, user: user(url) });
  Object.assign(root.fields.get("url")?.value ?? {}, filled);
  const after = await compile(root, noImages, options);
  assert.deepEqual(
    after.definition.nodes.map((node) => node.digest),
    before.definition.nodes.map((node) => node.digest),
  );
});

test("a component that CUE cannot complete waits for the one that computes the value, and so do its users", async () => {
  const url = computed(exec("deploy"));
  const waiting = { "#up": [exec(new Incomplete("string", {}, ["url"]))] };
  const job = await up({ url, waiting, user: { "#up": [load(waiting)] } });
  assert.deepEqual(
    job.deferred.map(({ path, missing }) => [path, missing.map((one) => one.path)]),
    [
      ["waiting", ["url"]],
      ["user", ["url"]],
    ],
  );
  assert.deepEqual(
    job.values.map((value) => value.path),
    ["url"],
  );
});

test("a target that waits makes its provider run, though it is no target", async () => {
  const url = computed(exec("deploy"));
  const job = await up({ url, app: { "#up": [exec(new Incomplete("string", {}, ["url"]))] } }, { targets: ["app"] });
  assert.deepEqual(
    job.values.map((value) => value.path),
    ["url"],
  );
  assert.deepEqual(
    job.deferred.map(({ path }) => path),
    ["app"],
  );
});

test("a value in the data that a component exports is waited for", async () => {
  const info = new Incomplete("{name: string}", {
    name: new Incomplete("string"),
    "#up": [{ do: "export", source: "/i", format: "json" }],
  });
  const job = await up({ info, app: { "#up": [exec(new Incomplete("string", {}, ["info.name"]))] } });
  assert.deepEqual(
    job.deferred.map(({ path, missing }) => [path, missing[0]?.path]),
    [["app", "info.name"]],
  );
});

test("components that wait for each other's values are a cycle", async () => {
  const wait = (path: string): object => exec(new Incomplete("string", {}, [path]));
  const found = await problems({ a: computed(wait("b")), b: computed(wait("a")) });
  assert.equal(found[0]?.message, "Components need each other: a → b → a");
});

test("a missing value is told once, with its declaration before its user", async () => {
  const version = new Incomplete("string", {}, ["version"]);
  const found = await problems({ a: { "#up": [exec("x", version)] }, b: { "#up": [exec("y", version)] } });
  assert.equal(found.length, 1);
  assert.equal(found[0]?.message, "Missing value: version (string) is needed by a, but nothing gives it");
  assert.deepEqual(
    found[0]?.at.map(({ file }) => file),
    ["inputs.cue", "up.cue"],
  );
  assert.equal(found[0]?.hint, "Set it in the config, or pass it with -i version=…");
});

test("a secret is optional only when every step can do without it", async () => {
  const mount = (optional: boolean): object => ({ ...exec("x"), mount: { "/s": { secret: "key", optional } } });
  const job = await up({
    a: { "#up": [mount(true), mount(false), mount(true)] },
    b: { "#up": [{ ...exec("x"), mount: { "/s": { secret: "opt", optional: true } } }] },
  });
  assert.deepEqual(
    job.secrets.map(({ id, optional }) => [id, optional]),
    [
      ["key", false],
      ["opt", true],
    ],
  );
});

test("the helper is the one of the exec's platform, and uploaded only when a value is used", async () => {
  const url = computed(exec("deploy"));
  const job = await up({ url, app: { "#up": [{ ...exec("use", url), platform: "linux/arm64" }] } });
  assert.deepEqual(
    job.locals.map((local) => local.name),
    ["helper-arm64"],
  );
  assert.deepEqual((await up({ url })).locals, []);
});

test("local.unique may differ by directory", async () => {
  const data = { a: { "#up": [{ do: "local", dir: "src" }] }, b: { "#up": [{ do: "local", dir: "../lib" }] } };
  const job = await up(data, { localUnique: (dir) => `u:${dir}` });
  const sources = job.definition.nodes.flatMap(({ vertex }) => (vertex?.kind === "source" ? [vertex] : []));
  assert.deepEqual(
    sources.map(({ identifier, attrs }) => [identifier, attrs["local.unique"]]),
    [
      ["local://app/src", "u:/work/app/src"],
      ["local://lib", "u:/work/lib"],
    ],
  );
});

test("many saved directories share layers, and each keeps its number", async () => {
  const ops = Array.from({ length: 70 }, (_, n) => ({ do: "save-dir", dest: `out/${n}`, src: `/d${n}` }));
  const job = await up({ app: { "#up": [exec("x"), ...ops] } });
  assert.deepEqual(
    job.dirs.map((dir) => dir.prefix),
    Array.from({ length: 70 }, (_, n) => `dirs/${n}/`),
  );
  const files = job.definition.nodes.flatMap(({ vertex }) => (vertex?.kind === "file" ? [vertex] : []));
  assert.ok(files.length <= 32);
  const copies = files
    .flatMap((vertex) => vertex.actions)
    .flatMap((action) => (action.kind === "copy" ? [`${action.src} ${action.dest}`] : []));
  assert.deepEqual(
    copies,
    Array.from({ length: 70 }, (_, n) => `/d${n} /dirs/${n}/`),
  );
});

test("problems of the config come as one error, in order of their lines", async () => {
  const found = await problems({ a: { "#up": [{ do: "exce" }, exec()] }, b: { "#up": [{ do: "local", dir: 7 }] } });
  assert.deepEqual(
    found.map(({ code }) => code),
    ["unknown-op", "empty-args", "wrong-type"],
  );
  assert.deepEqual(
    found,
    [...found].sort((a, b) => (a.at[0]?.line ?? 0) - (b.at[0]?.line ?? 0)),
  );
  assert.ok(inputError(...found) instanceof UserError);
});

const frontends: Frontends = {
  serve: () => Promise.resolve(),
  readFirst: () => Promise.resolve(undefined),
  localImages: () => Promise.resolve([]),
  dockerfile: async ({ options: { target = "" }, file }) => {
    // Whoever asks first is answered last.
    for (let turn = 0; turn < 20 - Number(target); turn++) await Promise.resolve();
    if (target === "9") throw new UserError(2, [{ code: "bad-dockerfile", message: `Cannot build ${file}`, at: [] }]);
    return { definition: new Uint8Array(), config: new TextEncoder().encode(JSON.stringify({ config: { WorkingDir: `/${target}` } })) };
  },
};
const docker = (target: string): object => ({ do: "docker-build", dockerfile: "FROM scratch", target });

test("components that ask the daemon are built at the same time, and listed in their own order", async () => {
  const a = { "#up": [docker("1"), exec("a")] };
  const job = await up({ a, b: { "#up": [docker("5"), exec("b")] }, c: { "#up": [load(a), exec("c")] } }, {}, { ...noImages, frontends });
  assert.deepEqual(
    job.graph.components.map(({ path }) => path),
    ["a", "b", "c"],
  );
  const cwds = job.graph.components.map(({ output }) => (output?.vertex.kind === "exec" ? output.vertex.cwd : undefined));
  assert.deepEqual(cwds, ["/1", "/5", "/1"]);
});

test("all Dockerfiles that cannot be built are told, and an asking op without a daemon", async () => {
  const data = { a: { "#up": [docker("9")] }, b: { "#up": [load({ "#up": [docker("9")] })] } };
  const error = await up(data, {}, { ...noImages, frontends }).catch((reason: unknown) => reason);
  assert.ok(error instanceof UserError);
  assert.deepEqual(
    error.diagnostics.map(({ code }) => code),
    ["bad-dockerfile", "bad-dockerfile"],
  );
  assert.deepEqual(
    (await problems({ a: { "#up": [docker("1")] } })).map(({ code }) => code),
    ["no-daemon"],
  );
});
