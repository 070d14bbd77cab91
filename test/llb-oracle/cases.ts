// Hand-written graphs: every op, every field of every vertex, and the corners where encoders differ.
import type { ExecVertex, FileAction, Mount, SourceVertex } from "../../compiler/graph/vertex.ts";
import { execOutputIndex, imageAttrs, localAttrs, ociLayoutAttrs, parseOwner } from "../../compiler/llb/index.ts";
import { REMOTES } from "./cases-remote.ts";
import type { Case } from "./graph.ts";
import {
  ARM_V7,
  ARM64,
  bind,
  cache,
  copy,
  diff,
  exec,
  file,
  image,
  merge,
  mkdir,
  mkfile,
  of,
  out,
  secret,
  source,
  ssh,
} from "./shorthand.ts";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;
const base = image();
const tools = image("docker.io/library/tools:1");

const sources: Case[] = [
  of("scratch", null),
  of("an image", base),
  of("an image by digest", image(`docker.io/library/debian@${DIGEST}`)),
  of("an image by tag and digest of another registry", image(`localhost:5000/a/b:v1@${DIGEST}`)),
  of("an image for the platform of the job", base, { platform: ARM64 }),
  of("an image for its own platform with variant", image(undefined, { platform: ARM_V7 })),
  of("an image always pulled", source("docker-image://docker.io/library/a:1", imageAttrs({ resolveMode: "pull" }))),
  of("an image taken locally", source("docker-image://docker.io/library/a:1", imageAttrs({ resolveMode: "local" }))),
  of(
    "an image with no layers and a checksum",
    source("docker-image://docker.io/library/a:1", imageAttrs({ layerLimit: 0, checksum: DIGEST })),
  ),
  of("an internal image", source("docker-image://docker.io/library/a:1", { "image.recordtype": "internal" })),
  of(
    "an image blob as a file",
    source(`docker-image+blob://docker.io/library/a@${DIGEST}`, {
      "http.filename": "f",
      "http.perm": "0755",
      "http.uid": "7",
      "http.gid": "8",
    }),
  ),
  of("an OCI layout", source(`oci-layout://local/layout@${DIGEST}`, ociLayoutAttrs({ session: "s1", store: "dir" }), { platform: ARM64 })),
  of("an OCI layout with few layers", source("oci-layout://x@y", ociLayoutAttrs({ layerLimit: 3 }))),
  of("an OCI layout blob", source(`oci-layout+blob://docker.io/library/a@${DIGEST}`, { "oci.session": "s", "oci.store": "t" })),
  of("a local directory", source("local://src")),
  of("a local directory of a job with an empty unique id", source("local://src"), { localUniqueId: "" }),
  of("a local directory with its own unique id", source("local://src", { "local.unique": "own" })),
  of("a local directory of a session", source("local://src", localAttrs({ session: "abc" }))),
  of(
    "a local directory with patterns that JSON of Go escapes",
    source(
      "local://src",
      localAttrs({ include: ["<a>", "b&c", "\u2028\u2029", 'q"\\'], exclude: ["\b\f\n\r\t\u0001\u007f"], followPaths: ["ä/😀"] }),
    ),
  ),
  of("a local directory with hint and differ", source("local://src", localAttrs({ sharedKeyHint: "hint", differ: "none" }))),
  of(
    "a local directory whose differ is required",
    source("local://src", localAttrs({ differ: "metadata" }), { caps: ["source.local.differ"] }),
  ),
  of(
    "metadata of a local directory",
    source("local://src", { "local.metadatatransfer": "true", "local.metadatatransferexclude": '["\\u003cx"]' }),
  ),
];

function run(title: string, more: Partial<ExecVertex>, options: Partial<Case["options"]> = {}): Case {
  return of(title, out(exec(base, more)), options);
}

function mounted(title: string, ...mounts: Mount[]): Case {
  return run(title, { mounts });
}

const execs: Case[] = [
  run("an exec", {}),
  of("an exec on scratch", out(exec(null))),
  run("an exec for another platform", { platform: ARM_V7 }),
  run("arguments that are empty or not ASCII", { args: ["", "grüße", "😀", "\u0000", "a b"] }),
  run("environment, user, directory and host name", {
    env: [
      ["A", "1"],
      ["B", ""],
      ["Ä", "ö=="],
    ],
    user: "me:us",
    cwd: "/sr c",
    hostname: "box",
  }),
  run("a variable set twice", {
    env: [
      ["A", "1"],
      ["B", "2"],
      ["A", "3"],
    ],
  }),
  run("hosts", {
    extraHosts: [
      { host: "a", ip: "10.0.0.1" },
      { host: "b", ip: "2001:db8::1" },
    ],
  }),
  run("the network of the host", { network: "host" }),
  run("no network", { network: "none" }),
  run("an insecure exec in a cgroup", { insecure: true, cgroupParent: "/a/b" }),
  run("exit codes", { validExitCodes: [0, 7, 255, -1] }),
  run("ulimits", {
    ulimits: [
      { name: "nofile", soft: 1024, hard: 2 ** 40 },
      { name: "core", soft: -1, hard: -1 },
      { name: "cpu", soft: 0, hard: 0 },
    ],
  }),
  run("devices", {
    devices: [
      { name: "vendor.com/gpu=0", optional: false },
      { name: "vendor.com/gpu=all", optional: true },
    ],
  }),
  run("a proxy", { proxy: { http: "h", https: "s", ftp: "f", no: "n", all: "a" } }),
  run("a proxy without addresses", { proxy: { http: "", https: "", ftp: "", no: "", all: "" } }),
  run("secrets as variables", {
    secretEnv: [
      { id: "t", name: "TOKEN", optional: false },
      { id: "u", name: "", optional: true },
    ],
  }),
  run("a daemon that sets PATH itself", { env: [["A", "1"]] }, { caps: new Set(["exec.meta.setsdefaultpath"]) }),
  run("a daemon that does not set PATH", { env: [["A", "1"]] }, { caps: new Set(["exec.meta.base"]) }),
  run("a daemon that does not set PATH, and PATH is set", { env: [["PATH", "/x"]] }, { caps: new Set() }),
  run("resources", {
    meta: {
      name: "n",
      component: "c",
      at: [],
      resources: {
        memory: 1n << 30n,
        memorySwap: -1n,
        cpuShares: 512n,
        cpuPeriod: 100n,
        cpuQuota: 50n,
        cpusetCpus: "0-1",
        cpusetMems: "0",
      },
    },
  }),
  run("resources that say nothing", { meta: { name: "", component: "", at: [], resources: {} } }),
  run("a worker filter", { workerFilters: ["label.a==b", "ä"] }),
  of(
    "an exec that ends in a read-only root",
    out(file(out(exec(base, { rootReadonly: true, mounts: [bind("/out", null)] })), mkdir("/a"))),
  ),
];

const cacheOnTools = exec(base, { mounts: [bind("/z", tools), bind("/a", null), cache("/m"), bind("/b", base, { readonly: true })] });

const mounts: Case[] = [
  mounted("a mount", bind("/src", tools)),
  mounted("a mount of the root again", bind("/src", base), bind("/src2", base, { selector: "/sub" })),
  mounted("a read-only mount with selector", bind("/src", tools, { readonly: true, selector: "a/b" })),
  mounted("a mount whose writes are dropped", bind("/src", tools, { output: false }), bind("/empty", null, { readonly: true })),
  mounted("content caches", bind("/a", tools, { contentCache: "on" }), bind("/b", tools, { contentCache: "off" })),
  mounted(
    "caches of all kinds",
    cache("/c1"),
    cache("/c2", { sharing: "private", id: "ä" }),
    cache("/c3", { sharing: "locked", from: tools, selector: "/x" }),
  ),
  mounted("a read-only cache", cache("/c", { readonly: true })),
  mounted("tmpfs", { kind: "tmpfs", dest: "/t", size: 0 }, { kind: "tmpfs", dest: "/u", size: 2 ** 33 }),
  mounted(
    "secrets",
    secret("/run/s"),
    secret("/a", { id: "Ü", uid: 1000, gid: 4294967295, mode: 0o777, optional: true }),
    secret("/m0", { mode: 0 }),
  ),
  mounted("ssh sockets", ssh("/agent"), ssh("/b", { id: "", uid: 1, gid: 2, mode: 0o666, optional: true })),
  mounted("ssh sockets at default places", ssh(""), ssh("/x"), ssh("")),
  run("an ssh socket whose variable is set", { mounts: [ssh("/agent")], env: [["SSH_AUTH_SOCK", "/own"]] }),
  run("secrets as files and variables", { mounts: [secret("/s")], secretEnv: [{ id: "s", name: "S", optional: false }] }),
  mounted(
    "mounts in the order of bytes",
    ...["/b", "/\u{1F600}", "/\uFFFD", "/a/b", "/a-b", "/A", "/é", "/a"].map((dest) => bind(dest, tools)),
  ),
  mounted("all kinds of mounts mixed", ssh("/0"), secret("/1"), cache("/2", { from: base }), bind("/3", tools), {
    kind: "tmpfs",
    dest: "/4",
    size: 1,
  }),
  of("the output of the last of many mounts", out(cacheOnTools, execOutputIndex(cacheOnTools, "/z"))),
  of("the output of a mount of scratch", out(cacheOnTools, execOutputIndex(cacheOnTools, "/a"))),
  of("all outputs of an exec", out(merge(...["/a", "/z", "/"].map((dest) => out(cacheOnTools, execOutputIndex(cacheOnTools, dest)))))),
  of(
    "one mount of many outputs of one exec",
    out(exec(out(cacheOnTools), { mounts: [bind("/1", out(cacheOnTools, 1)), bind("/2", out(cacheOnTools, 2))] })),
  ),
];

function act(title: string, ...actions: FileAction[]): Case {
  return of(title, out(file(base, ...actions)));
}

const all = {
  followSymlinks: true,
  dirCopyContents: true,
  attemptUnpack: true,
  createDestPath: true,
  allowWildcard: true,
  allowEmptyWildcard: true,
  alwaysReplaceExistingDestPaths: true,
};

const files: Case[] = [
  act("a file", mkfile("/a", "text")),
  of("a file in scratch", out(file(null, mkfile("/a", "text")))),
  act("an empty file, no mode", mkfile("/a", "", { mode: 0 })),
  act("a file of bytes, mode cut", mkfile("b/../ä", Uint8Array.of(0, 255, 128, 10), { mode: 0o4755, timestamp: 0n })),
  act("a large file", mkfile("/large", "x".repeat(100_000))),
  act(
    "times",
    mkdir("/a", { timestamp: 1_700_000_000_123_456_789n }),
    mkfile("/b", "", { timestamp: -1n }),
    mkfile("/c", "", { timestamp: -5n }),
  ),
  act("directories", mkdir("a//b/"), mkdir("/c", { makeParents: true, mode: 0o1777 })),
  act(
    "removals",
    { kind: "rm", path: "a*", allowNotFound: true, allowWildcard: true },
    { kind: "rm", path: "/x/", allowNotFound: false, allowWildcard: false },
  ),
  act("a symlink", { kind: "symlink", oldpath: "../a/./b", newpath: "c/", timestamp: 5n, chown: parseOwner("1:2") }),
  act(
    "owners by id and name",
    ...["root", "0:0", "1000:users", "me", ":us", "me:", "-1:+5", "99999999999"].map((o) => mkfile("/f", "", { chown: parseOwner(o) })),
  ),
  of("owners by name without a base", out(file(null, mkdir("/a", { chown: parseOwner("me:us") })))),
  act("nobody's owner", mkdir("/a", { chown: {} })),
  act("a group alone", mkdir("/a", { chown: { group: { name: "us" } } })),
  act("a copy", copy(tools)),
  act("a copy of scratch", copy(null, { src: "/*", allowWildcard: true, allowEmptyWildcard: true })),
  act(
    "a copy with everything",
    copy(tools, { ...all, src: "a/../b", dest: "c/d/", mode: 0o4755, timestamp: 7n, chown: parseOwner("me:5") }),
  ),
  act("a copy with patterns", copy(tools, { include: ["<&>\u2028", "**/*.ts"], exclude: ["!x", ""], requiredPaths: ["a", "b"] })),
  act("a copy with modes in letters", copy(tools, { modeStr: "u=rwX,go-w", mode: 0o600 }), copy(tools, { mode: 0 })),
  act(
    "destinations that end in slash and dot",
    ...["a/", "a/.", "/", "/.", ".", "./", "", "..", "a/..", "a/../", "b//"].map((dest) => copy(tools, { dest })),
  ),
  act("sources that are not clean", ...["", ".", "a/", "/a//b", "../../c", "d/./e/", "*"].map((src) => copy(tools, { src }))),
  act(
    "copies from many places",
    copy(tools, { dest: "/1" }),
    copy(base, { dest: "/2" }),
    copy(source("local://x"), { dest: "/3" }),
    copy(tools),
  ),
  of("copies onto scratch from one place twice", out(file(null, copy(base), mkdir("/x"), copy(base, { dest: "/y" })))),
  of("a chain of file ops", out(file(out(file(out(file(base, mkdir("/a"))), mkdir("/b"))), mkdir("/c")))),
];

const meta = (name: string, component: string, line = 1): SourceVertex["meta"] => ({
  name,
  component,
  at: [{ file: "up.cue", line, column: 3 }],
});
const twins = ["a", "b"].map((name, i) => image("docker.io/library/twin:1", { meta: meta(name, name, i + 1) }));

function twin(more: Partial<SourceVertex["meta"]>) {
  return image("docker.io/library/twin:1", { meta: { ...meta("twin", "app"), ...more } });
}

const others: Case[] = [
  of("a merge", out(merge(base, tools))),
  of("a merge with duplicates", out(merge(base, tools, base, base))),
  of("a diff", out(diff(base, tools))),
  of("a diff onto scratch", out(diff(base, null))),
  of("a diff from scratch", out(diff(null, base))),
  of("a diff of nothing", out(diff(null, null))),
  of("a diff with itself", out(diff(base, base))),
  of("a build", out({ kind: "build", meta: meta("b", "b"), from: base })),
  of("a build of a named file", out({ kind: "build", meta: meta("", ""), from: out(cacheOnTools, 1), filename: "x.pb" }), {
    platform: ARM64,
  }),
  of(
    "names, components and lines",
    out(file(base, mkdir("/x")).kind === "file" ? { ...file(twins[0]!, mkdir("/x")), meta: meta("öp", "app.build") } : base.vertex),
  ),
  of("equal vertices of two components", out(merge(twins[0]!, twins[1]!))),
  of("equal vertices of which the first ignores the cache", out(merge(twin({ ignoreCache: true, exportCache: true }), twin({})))),
  of("equal vertices that differ on exporting the cache", out(merge(twin({ exportCache: true }), twin({ exportCache: false })))),
  of("equal vertices with resources of the first", out(merge(twin({ resources: { memory: 1n } }), twin({ component: "" })))),
  of(
    "lines in several files",
    image(undefined, {
      meta: {
        name: "n",
        component: "",
        at: [
          { file: "a.cue", line: 1, column: 1 },
          { file: "b.cue", line: 0, column: 0 },
          { file: "a.cue", line: 9, column: 2 },
        ],
      },
    }),
  ),
  of(
    "a cache that is ignored, and one that is not exported",
    out({
      ...file(image(undefined, { meta: { ...meta("", ""), exportCache: false } }), mkdir("/")),
      meta: { ...meta("x", ""), ignoreCache: true, exportCache: true },
    }),
  ),
  of("descriptions", image(undefined, { meta: { ...meta("n", "c"), description: { b: "2", a: "", "10": "x" } } })),
  of("worker filters on every op", out({ ...merge(base, out({ ...diff(base, tools), workerFilters: ["a"] })), workerFilters: ["b", "c"] })),
  of("the outer graph of a diamond", out(diamond(12))),
];

/** Each level merges the one below with a file made from it. */
function diamond(levels: number) {
  let top = merge(base, tools);
  for (let i = 0; i < levels; i++) top = merge(out(top), out(file(out(top), mkdir(`/${i}`))));
  return top;
}

export const CASES: readonly Case[] = [...sources, ...REMOTES, ...execs, ...mounts, ...files, ...others];
