// States: what is inherited, what never changes, what is asked for later, and what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../diagnostic.ts";
import {
  bind,
  cache,
  copy,
  describeDefinition,
  diff,
  git,
  http,
  image,
  imageBlob,
  local,
  marshal,
  merge,
  mkdir,
  mkfile,
  type OpDescription,
  passthrough,
  readDefinition,
  type State,
  scratch,
  secret,
  sourceFile,
  tmpfs,
} from "./index.ts";

const platform = "linux/amd64";

async function ops(state: State): Promise<OpDescription[]> {
  return describeDefinition(await marshal(state, { platform, localUniqueId: "one" }));
}

/** The last op before the terminal one. */
async function last(state: State): Promise<OpDescription> {
  return (await ops(state)).at(-2)!;
}

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.diagnostics[0]?.code, "llb-invalid");
    assert.equal(error.exit, 2);
    return error.message;
  }
  assert.fail("it was not refused");
}

test("a state never changes: what is set on it is on a new one", async () => {
  const base = image("debian");
  const changed = base.env("A", "1").dir("/src").user("me").hostname("box").network("host").cgroupParent("/c");
  assert.deepEqual((await base.values({ platform })).env, new Map());
  const { env, dir, user, hostname, network, cgroupParent } = await changed.values({ platform });
  assert.deepEqual(
    { env, dir, user, hostname, network, cgroupParent },
    {
      env: new Map([["A", "1"]]),
      dir: "/src",
      user: "me",
      hostname: "box",
      network: "host",
      cgroupParent: "/c",
    },
  );
});

test("options of a command are not inherited, values of a state are", async () => {
  const after = image("debian")
    .env("A", "1")
    .run(["first"], { env: { B: "2" }, dir: "sub", user: "me" }).root;
  assert.deepEqual((await last(after.run(["second"]).root)).fields, {
    meta: { args: ["second"], env: ["A=1"], cwd: "/", removeMountStubsRecursive: true },
    mounts: [{ input: 0, dest: "/", output: 0 }],
  });
});

test("a variable that is set again moves to the end", async () => {
  const { env } = await scratch().env("A", "1").env("B", "2").env("A", "3").values({ platform });
  assert.deepEqual(
    [...env],
    [
      ["B", "2"],
      ["A", "3"],
    ],
  );
});

test("relative directories and paths start at the directory before", async () => {
  const state = scratch()
    .dir("/a")
    .dir("b/../c")
    .file(mkfile("x", "").copy(image("debian").dir("/from"), "src", "in/"));
  const actions = (await last(state)).fields as { actions: { copy?: { src: string; dest: string }; mkfile?: { path: string } }[] };
  assert.equal(actions.actions[0]?.mkfile?.path, "/a/c/x");
  assert.equal(actions.actions[1]?.copy?.src, "/from/src");
  assert.equal(actions.actions[1]?.copy?.dest, "/a/c/in/");
});

test("images are asked for when the state is marshalled: at the same time, and once each", async () => {
  let running = 0;
  let most = 0;
  let calls = 0;
  const resolve = async (): Promise<{ config: Uint8Array }> => {
    calls++;
    most = Math.max(most, ++running);
    await new Promise((done) => setImmediate(done));
    running--;
    return { config: Buffer.from('{"config":{"Env":["PATH=/bin"],"WorkingDir":"/w"}}') };
  };
  const [a, b] = [image("a", { resolve }), image("b", { resolve })];
  const graph = merge([a.run(["x"]).root, a.run(["y"]).root, b.run(["z"]).root]);
  assert.equal(calls, 0);
  const execs = (await ops(graph)).filter(({ kind }) => kind === "exec");
  assert.deepEqual(
    execs.map(({ fields }) => (fields as { meta: { cwd: string } }).meta.cwd),
    ["/w", "/w", "/w"],
  );
  assert.deepEqual({ calls, most }, { calls: 2, most: 2 });
});

test("a resolver is asked for the platform of the Definition, or of the image", async () => {
  const asked: string[] = [];
  const resolve = async (request: { platform: { architecture: string } }): Promise<{ config: Uint8Array }> => {
    asked.push(request.platform.architecture);
    return { config: Buffer.from("{}") };
  };
  await ops(merge([image("a", { resolve }), image("b", { resolve, platform: "linux/arm64" })]));
  assert.deepEqual(asked, ["amd64", "arm64"]);
});

test("the error of a resolver is the error of marshal, and no rejection is left behind", async () => {
  const failing = image("a", { resolve: () => Promise.reject(new Error("no registry")) });
  const graph = merge([
    failing.run(["x"]).root,
    failing.run(["y"]).root,
    image("b", { resolve: () => Promise.reject(new Error("nor this")) }),
  ]);
  await assert.rejects(() => ops(graph), /no registry|nor this/);
});

test("a digest that a resolver gives pins the image", async () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const pinned = image("debian:12", { resolve: async () => ({ config: Buffer.from("{}"), digest }), resolveDigest: true });
  assert.deepEqual((await last(pinned)).fields, { identifier: `docker-image://docker.io/library/debian:12@${digest}` });
});

test("a command's mounts are states: read-only ones as they were, others as it left them", async () => {
  const source = image("sources");
  const exec = image("debian").run(["make"], { mounts: [bind("/in", source, { readonly: true }), bind("/out", scratch())] });
  assert.deepEqual((await last(exec.mount("/in"))).fields, { identifier: "docker-image://docker.io/library/sources:latest" });
  assert.deepEqual((await ops(exec.mount("/out"))).at(-1)?.inputs, ["#3:1"]);
  assert.deepEqual(await exec.root.values({ platform }), await image("debian").values({ platform }));
});

test("mounts that nothing can start from are refused with the reason", async () => {
  const mounts = [cache("/c", "id"), tmpfs("/t"), bind("/b", scratch(), { output: false }), secret("/s")];
  const exec = image("debian").run(["make"], { mounts });
  for (const dest of ["/c", "/t", "/b"]) assert.match(await refusal(() => exec.mount(dest)), /is thrown away/);
  for (const dest of ["/s", "/nowhere"]) assert.match(await refusal(() => exec.mount(dest)), /has no mount with files at/);
});

test("scratch disappears where it changes nothing", async () => {
  const base = image("debian");
  assert.deepEqual(await ops(merge([scratch(), base, scratch()])), await ops(base));
  assert.deepEqual(await ops(diff(scratch(), base)), await ops(base));
  assert.deepEqual(await ops(merge([scratch(), diff(scratch(), scratch())])), []);
});

test("a Definition that is read back marshals to the same ops, and can be built on", async () => {
  const file = sourceFile("recipe", { language: "Recipe", data: "make" });
  const built = image("debian", { platform: "linux/arm64", name: "base" }).run(["make"], {
    locations: [file.lines(1, 2)],
    group: { id: "g", name: "group", weak: true },
    resources: { memory: 1n << 40n },
    exportCache: false,
    ignoreCache: true,
  }).root;
  const { encoded } = await marshal(built, { platform });
  const again = readDefinition(encoded);
  assert.deepEqual(describeDefinition(await marshal(again, { platform: "linux/s390x" })), describeDefinition({ encoded }));
  const more = await ops(again.run(["install"]).root);
  assert.deepEqual(more.slice(0, 2), describeDefinition({ encoded }).slice(0, 2));
});

test("bytes that are no Definition, and Definitions with a part missing, are refused", async () => {
  assert.match(await refusal(() => readDefinition(Buffer.from("no"))), /These bytes are no Definition/);
  const { ops: parts } = await marshal(image("debian").run(["make"]).root, { platform });
  const only = (part: Uint8Array): Uint8Array => Buffer.concat([Buffer.from([0x0a, part.length]), part]);
  assert.match(await refusal(() => readDefinition(only(parts[2]!))), /names an op that it does not have/);
  assert.match(await refusal(() => readDefinition(only(parts[0]!))), /no result/);
  assert.deepEqual(await ops(readDefinition(new Uint8Array())), []);
});

test("the directory of a build needs an id, unless it has its own", async () => {
  const files = local("src");
  assert.match(await refusal(() => marshal(scratch().file(copy(files, "/", "/")), { platform })), /"src" needs an id of this build/);
  for (const fine of [local("src", { uniqueId: "x" }), local("src", { session: "s" })]) await marshal(fine, { platform });
});

test("what LLB cannot say is refused in words, with the value", async () => {
  assert.match(await refusal(() => image("Debian")), /Unknown image "Debian": the repository name must be lower case/);
  assert.match(await refusal(() => imageBlob("debian:12")), /has no digest/);
  assert.match(await refusal(() => git("svn://host/repo")), /Invalid git remote "svn:\/\/host\/repo"/);
  assert.match(await refusal(() => git("https://host/repo#%zz")), /Invalid git remote/);
  assert.match(await refusal(() => http("ftp://host/file")), /must start with http/);
  assert.match(await refusal(() => scratch().extraHost("db", "10.0.0")), /"db" has no valid IP address: "10.0.0"/);
  assert.match(await refusal(() => scratch().platform("amd64")), /Unknown platform "amd64"/);
  assert.match(await refusal(() => ops(image("debian").run([]).root)), /an exec needs arguments/);
  assert.match(await refusal(() => scratch().build()), /got scratch/);
  assert.match(await refusal(() => scratch().requires("id", image("debian"))), /Scratch can require nothing/);
  assert.match(await refusal(() => passthrough("id", [{ state: image("debian"), output: false }])), /has no output/);
  assert.match(await refusal(() => scratch().withImageConfig(Buffer.from("[]"))), /no JSON object/);
});

test("actions on another state are done inside the same op, once", async () => {
  const made = mkdir("/d").mkfile("/d/x", "x").on(image("tools"));
  const described = await ops(scratch().file(copy(made, "/d/x", "/one").copy(made, "/d/x", "/two")));
  assert.deepEqual(
    described.map(({ kind }) => kind),
    ["source", "file", "result"],
  );
  const { actions } = described[1]!.fields as { actions: { input: number; secondaryInput?: number }[] };
  assert.deepEqual(
    actions.map(({ input, secondaryInput }) => [input, secondaryInput]),
    [
      [0, undefined],
      [1, undefined],
      [-1, 2],
      [3, 2],
    ],
  );
});

test("defaults are for all ops that do not say otherwise", async () => {
  const graph = image("debian", { exportCache: true }).run(["make"]).root;
  const defaults = { exportCache: false, description: { team: "a" }, require: ["x==y"] };
  const described = describeDefinition(await marshal(graph, { platform, defaults }));
  assert.deepEqual(
    described.slice(0, 2).map(({ metadata, constraints }) => ({ metadata, constraints })),
    [
      { metadata: { export_cache: true, description: { team: "a" } }, constraints: ["x==y"] },
      { metadata: { export_cache: false, description: { team: "a" } }, constraints: ["x==y"] },
    ],
  );
});

test("a chain of 100,000 commands is built and marshalled, behind an image that is asked for, too", async () => {
  let state: State = image("debian", { resolve: async () => ({ config: Buffer.from("{}") }) });
  for (let i = 0; i < 100_000; i++) state = state.run(["step", String(i)]).root;
  const { ops: parts } = await marshal(state, { platform });
  assert.equal(parts.length, 100_002);
});
