// Sources and nodes on a real buildkitd, with a git server, a registry, an S3 server and a list of releases: a build pipeline from commits to a bucket.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { repository, runDagger } from "./dagger.ts";
import { dataWorld, short } from "./data.ts";

const world = dataWorld();
const { up, builds, environment, dagger, good, bad, latest } = world;

test("sources of all kinds are added, with what they have", async () => {
  const first = await up.git.commit("pinata", { "v1/pitfall/pitfall": "echo pitfall-1", "src/main.c": "one" }, { tag: "beta12" });
  await up.git.commit("private/esx", { "esx.conf": "host" });
  builds.set(2245, "dmg of 2245");
  builds.set(2246, "dmg of 2246");
  await good("init");
  await good(
    "connector",
    "add",
    "s3",
    "store",
    `endpoint=${world.s3.url}`,
    "--secret",
    "accessKey=env:S3_ID",
    "--secret",
    "secretKey=env:S3_KEY",
  );
  await good("connector", "add", "git", "git", `url=${up.git.url}/private`, "--secret", "token=env:GIT_TOKEN");

  assert.match(await good("source", "add", "pinata", `${up.git.url}/pinata`, "-k", "git"), /pinata +git +http:\S+\/pinata +main +-/);
  assert.match(await good("source", "add", "pitfall", "pinata", "--path", "/v1/pitfall"), /pitfall +git +\S+ +main +\/v1\/pitfall/);
  assert.match(await good("source", "add", "beta12", `${up.git.url}/pinata:beta12`, "-k", "git"), /beta12 +git +\S+ +beta12 +-/);
  assert.match(await good("source", "add", "esx", `${up.git.url}/private/esx`, "-k", "git"), /esx +git/);
  assert.match(await good("source", "add", "dmg", world.releases, "-k", "hockeyapp", "--build", "version"), /dmg +release +http:\S+ +- +-/);
  assert.match(await good("source", "add", "tests"), /tests +path/);
  assert.match(await good("source", "add", "downloads", "s3://downloads/mac"), /downloads +s3 +downloads +- +\/mac/);
  up.page = "terms";
  assert.match(await good("source", "add", "terms", up.url), /terms +http/);
  await pushBase("one");
  assert.match(await good("source", "add", "base", `${up.registry.host}/base:1`), /base +docker +127\S+\/base +1 +-/);

  assert.equal(await latest("pinata"), `sha1:${first}`);
  assert.equal(await latest("beta12"), `sha1:${first}`);
  assert.notEqual(await latest("pitfall"), await latest("pinata"));
  assert.equal(await latest("terms"), `sha256:${createHash("sha256").update("terms").digest("hex")}`);
  assert.equal(await latest("dmg"), `md5:${createHash("md5").update("dmg of 2246").digest("hex")}`);
  assert.match(await latest("base"), /^sha256:[0-9a-f]{64}$/);
  assert.match(await good("source", "log", "dmg"), /^ID +BUILD +FULL\n[0-9a-f]{8} +2246 +md5:\S+\n[0-9a-f]{8} +2245 +md5:\S+\n$/);
});

async function pushBase(text: string): Promise<void> {
  const config = join(up.bench.dir, `push-${text}`);
  mkdirSync(config, { recursive: true });
  const from = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "write-file", dest: "/what", content:';
  writeFileSync(
    join(config, "up.cue"),
    `package up\nimage: #up: [${from} "${text}"}, {do: "push-container", ref: "${up.registry.host}/base:1"}]\n`,
  );
  await up.succeed("up", config);
}

let node = "";

test("a node runs a script with its inputs in scope, once for each set of versions", async () => {
  const script = `mkdir -p \${tests:ROOT}/\${dmg:BUILD}
. \${pitfall:ROOT}/pitfall > "\${tests:ROOT}/\${dmg:BUILD}/STDOUT"
cat \${dmg:ROOT}/* >> \${tests:ROOT}/\${dmg:BUILD}/STDOUT
echo 'build \${dmg:BUILD} as '$ESX_USER $ESX_PASS
`;
  writeFileSync(join(world.dir, "test.sh"), script);
  writeFileSync(join(world.dir, ".dagger/state/private.json"), JSON.stringify({ ESX_USER: "admin-of-esx", ESX_PASS: "env:ESX_PASS" }));
  const args = ["node", "run", "--labels=test,osx", "--input=dmg,pitfall", "--output=tests", "test.sh"];
  const first = await dagger(...args);
  assert.equal(first.code, 0, first.stderr);
  node = first.stdout.trim();
  assert.match(node, /^[0-9a-f]{8}$/);
  assert.match(first.stderr, /build 2246 as \*\*\* \*\*\*/);
  assert.doesNotMatch(first.stderr, /hush-hush|admin-of-esx/);
  const out = join(world.dir, ".dagger/state/sources/tests");
  assert.equal(readFileSync(join(out, "2246/STDOUT"), "utf8"), "pitfall-1\ndmg of 2246");

  // The same in another order is the same node; it has nothing to do.
  const again = await dagger(
    "node",
    "run",
    "--label",
    "osx",
    "--label",
    "test",
    "--input",
    "pitfall",
    "--input",
    "dmg",
    "--output",
    "tests",
    "--",
    "test.sh",
  );
  assert.equal(again.stdout.trim(), node);
  assert.match(again.stderr, /Nothing has changed/);
  assert.match(await good("node", "list"), new RegExp(`${node} +test\\.sh +osx,test +dmg,pitfall +tests`));
  assert.match(
    await good("node", "log", node),
    /^ID +STATUS +INPUT\(S\) +OUTPUT\(S\)\n[0-9a-f]{8} +success +dmg:[0-9a-f]{8},pitfall:[0-9a-f]{8} +tests:[0-9a-f]{8}\n$/,
  );

  // A new build: pending until it is looked for.
  builds.set(2247, "dmg of 2247");
  await good("source", "refresh", "dmg");
  assert.match(await good("node", "log", node), /\n[0-9a-f]{8} +pending +dmg:\S+ +-\n[0-9a-f]{8} +success/);
  await good("node", "update");
  assert.deepEqual(readdirSync(out).sort(), ["2246", "2247"]);
  assert.equal((await good("node", "log", node)).split("\n").filter((line) => line.includes("success")).length, 2);
});

test("a change goes through all nodes behind it in order, into a bucket; a pinned source stays", async () => {
  const image = ["--image", `${up.registry.host}/base:1`];
  await good(
    "node",
    "run",
    "--input",
    "tests,base,terms,esx",
    "--output",
    "downloads",
    ...image,
    "--",
    "sh",
    "-c",
    "cp -r ${tests:ROOT}/. ${downloads:ROOT}/; cat ${base:ROOT}/what ${terms:ROOT}/* ${esx:ROOT}/esx.conf > ${downloads:ROOT}/about.txt",
  );
  assert.equal(readFileSync(join(world.bucket, "mac/2247/STDOUT"), "utf8"), "pitfall-1\ndmg of 2247");
  assert.equal(readFileSync(join(world.bucket, "mac/about.txt"), "utf8"), "onetermshost");

  const pinned = (await latest("dmg")).slice("md5:".length);
  await good("source", "pin", "dmg", `md5:${pinned}`);
  builds.set(2248, "dmg of 2248");
  await up.git.commit("pinata", { "v1/pitfall/pitfall": "echo pitfall-2" });
  const updated = await good("node", "update");
  assert.equal(updated.split("\n").filter((line) => line.includes(" success ")).length, 2);
  assert.equal(readFileSync(join(world.bucket, "mac/2247/STDOUT"), "utf8"), "pitfall-2\ndmg of 2247");
  assert.equal(existsSync(join(world.bucket, "mac/2248")), false);
  assert.match(await good("source", "list"), /^dmg\* /m);
  await good("source", "unpin", "dmg");
});

interface Entry {
  readonly ID: string;
  readonly source?: string;
  readonly kind?: string;
  readonly commit?: string;
  readonly digest?: string;
  readonly inputs?: readonly string[];
  readonly node?: string;
  readonly image?: string;
}

test("what is in the bucket is told back to commits and digests", async () => {
  const id = await latest("downloads");
  const shown = await dagger("inspect", `downloads:${short(id)}`);
  assert.match(shown.stderr, /^# manifest for downloads:sha256:/);
  const records = JSON.parse(shown.stdout) as readonly Entry[];
  const last = records.at(-1);
  assert.equal(last?.digest, id);
  const byId = new Map(records.map((record) => [record.ID, record]));
  assert.equal(byId.size, records.length);
  for (const { inputs = [] } of records) for (const input of inputs) assert.ok(byId.has(input), input);
  const above = new Set<string>();
  const open = [last?.ID ?? ""];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    above.add(next);
    open.push(...(byId.get(next)?.inputs ?? []).filter((one) => !above.has(one)));
  }
  assert.equal(above.size, records.length);
  const sources = new Set(records.flatMap(({ source }) => source ?? []));
  assert.deepEqual([...sources].sort(), ["base", "dmg", "downloads", "esx", "pinata", "pitfall", "terms", "tests"]);
  assert.ok(records.some(({ source, commit }) => source === "pinata" && /^sha1:[0-9a-f]{40}$/.test(commit ?? "")));
  assert.ok(records.filter((record) => record.node !== undefined).every(({ image }) => /@sha256:[0-9a-f]{64}$/.test(image ?? "")));

  const dot = await good("inspect", `downloads:${short(id)}`, "--dot");
  assert.match(dot, /^digraph data \{\n/);
  assert.equal(dot.split("\n").filter((line) => line.includes("[shape=")).length, records.length);

  interface Statement {
    readonly subject: readonly { readonly digest: Readonly<Record<string, string>> }[];
    readonly predicate: {
      readonly buildDefinition: { readonly resolvedDependencies: readonly { readonly name: string; readonly digest: object }[] };
    };
  }
  const statement = JSON.parse(await good("inspect", `downloads:${short(id)}`, "--slsa")) as Statement;
  assert.deepEqual(statement.subject[0]?.digest, { sha256: id.slice("sha256:".length) });
  const names = new Set(statement.predicate.buildDefinition.resolvedDependencies.map(({ name }) => name));
  for (const name of ["pinata", "dmg", "base", "terms"]) assert.ok(names.has(name), name);
  await bad(2, "not-computed", "inspect", `terms:${short(await latest("terms"))}`, "--slsa");

  // What nobody computed can be said.
  const before = JSON.parse(await good("inspect", `dmg:${short(await latest("dmg"))}`)) as readonly Entry[];
  assert.equal(before.length, 1);
  await good("source", "link", `pinata:${short(await latest("pinata"))}`, `dmg:${short(await latest("dmg"))}`);
  const linked = JSON.parse(await good("inspect", `dmg:${short(await latest("dmg"))}`)) as readonly Entry[];
  assert.deepEqual(
    linked.map(({ source }) => source),
    ["pinata", "dmg"],
  );
});

test("two who make the same node at once make one, and it runs once", async () => {
  await good("source", "add", "once");
  const args = [
    "node",
    "run",
    "--input",
    "terms",
    "--output",
    "once",
    "--",
    "sh",
    "-c",
    "cat /proc/sys/kernel/random/uuid > ${once:ROOT}/uuid",
  ];
  const [a, b] = await Promise.all([good(...args), good(...args)]);
  assert.equal(a, b);
  const log = JSON.parse(await good("node", "log", a.trim(), "--output", "json")) as readonly { readonly state: string }[];
  assert.deepEqual(
    log.map(({ state }) => state),
    ["success"],
  );
  const uuid = (): string => readFileSync(join(world.dir, ".dagger/state/sources/once/uuid"), "utf8");
  const first = uuid();
  await good(...args);
  assert.equal(uuid(), first);
  await good("node", "run", "--force", ...args.slice(2));
  assert.notEqual(uuid(), first);
});

test("a computation whose process is killed is told as interrupted, and done again", async () => {
  await good("source", "add", "gated");
  let open = false;
  let asked = (): void => undefined;
  const running = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const gate = createServer((_, response) => {
    if (open) response.end("through");
    asked();
  });
  await new Promise<void>((resolve) => gate.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}/`;
    const args = ["node", "run", "--input", "terms", "--output", "gated", "--", "wget", "-q", "-O", "${gated:ROOT}/file", url];
    const child = spawn(join(repository, "bin/dagger"), args, { cwd: world.dir, env: environment(), stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    const printed = text(child.stdout);
    await running;
    child.kill("SIGKILL");
    await ended;
    const id = (await printed).trim();
    assert.match(await good("node", "log", id), /interrupted +terms:[0-9a-f]{8} +-/);
    assert.equal(existsSync(join(world.dir, ".dagger/state/sources/gated/file")), false);
    open = true;
    assert.match(await good("node", "update", id), new RegExp(`${id} +success +gated:[0-9a-f]{8}`));
    assert.equal(readFileSync(join(world.dir, ".dagger/state/sources/gated/file"), "utf8"), "through");
  } finally {
    gate.closeAllConnections();
    gate.close();
  }
});

test("a node that fails is recorded, and runs again when it is asked for; those behind it wait", async () => {
  await good("source", "add", "broken");
  await good("source", "add", "behind");
  writeFileSync(join(world.dir, "broken.sh"), "[ -e ${terms:ROOT}/none ] && echo there > ${broken:ROOT}/file");
  const failed = await dagger("node", "run", "--input", "terms", "--output", "broken", "--", "./broken.sh");
  assert.equal(failed.code, 1);
  const id = failed.stdout.trim();
  assert.match(await good("node", "log", id), /failure +terms:[0-9a-f]{8} +-/);
  await good("node", "run", "--input", "broken", "--output", "behind", "--", "cp -r ${broken:ROOT}/. ${behind:ROOT}/");
  const { code, stdout } = await dagger("node", "update", id);
  assert.equal(code, 1);
  assert.match(stdout, new RegExp(`${id} +failure +-\\n[0-9a-f]{8} +skipped +-`));
  await good("node", "remove", id, "--yes");
});

test("edges between nodes, circles, wrong parameters and outputs are told before anything is kept", async () => {
  const nodes = readdirSync(join(world.dir, ".dagger/nodes"));
  const edge = await bad(2, "compute-edge", "node", "run", "--input", node, "--output", "once", "--", "ls");
  assert.match(edge, /Take what it gives: --input tests/);
  assert.match(
    await bad(2, "data-cycle", "node", "run", "--input", "downloads", "--output", "tests", "--", "ls"),
    /downloads → [0-9a-f]{8} → tests → [0-9a-f]{8} → downloads/,
  );
  await bad(2, "data-cycle", "node", "run", "--input", "once", "--output", "once", "--", "ls");
  await bad(2, "node-output", "node", "run", "--input", "terms", "--output", "base", "--", "ls");
  await bad(2, "unknown-source", "node", "run", "--input", "trems", "--", "ls");
  await bad(2, "unknown-parameter", "node", "run", "--input", "terms", "--output", "once", "--", "ls ${trems:ROOT}");
  await bad(2, "no-command", "node", "run", "--input", "terms", "--", "");
  await bad(2, "unknown-node", "node", "log", "00000000");
  assert.deepEqual(readdirSync(join(world.dir, ".dagger/nodes")), nodes);
});

test("a config takes sources by their names, at the pinned, the said or the newest version, and its outputs say which", async () => {
  const first = (await good("source", "log", "beta12")).split("\n")[1]?.split(/ +/)[1] ?? "";
  mkdirSync(join(world.dir, "app"));
  const cat = (from: string, file: string): string =>
    `{string, #up: [{do: "copy", from: ${from}, src: "${file}", dest: "/value"}, {do: "export", source: "/value"}]}`;
  writeFileSync(
    join(world.dir, "app/up.cue"),
    `package app

import "cuellb.dev/data"

pitfall: data.#Source & {name: "pitfall"}
old: data.#Source & {name: "pinata", version: "${first}"}
base: data.#Source & {name: "base"}
tests: data.#Source & {name: "tests"}
terms: data.#Source & {name: "terms"}
downloads: data.#Source & {name: "downloads"}
code: ${cat("pitfall", "/pitfall")}
before: ${cat("old", "/v1/pitfall/pitfall")}
what: ${cat("base", "/what")}
report: ${cat("tests", "/2247/STDOUT")}
page: ${cat("terms", "/*")}
about: ${cat("downloads", "/about.txt")}
build: old.detail.commit
`,
  );
  const values = JSON.parse(await good("up", "app", "--output", "json", "--progress", "quiet")) as {
    readonly computed: object;
    readonly values: { readonly build: string };
  };
  assert.deepEqual(values.computed, {
    code: "echo pitfall-2",
    before: "echo pitfall-1",
    what: "one",
    report: "pitfall-2\ndmg of 2247",
    page: "terms",
    about: "onetermshost",
  });
  assert.equal(`sha1:${values.values.build}`, first);

  // A run that is done again takes the versions of then.
  const run =
    (JSON.parse(await good("history", "list", "--limit", "1", "--output", "json")) as readonly { readonly id: string }[])[0]?.id ?? "";
  const outputs = await runDagger(["output", "list", "--output", "json"], join(world.dir, "app"), environment());
  assert.match(outputs.stdout, /"pitfall": "sha1:[0-9a-f]{40}"/);
  await up.git.commit("pinata", { "v1/pitfall/pitfall": "echo pitfall-3" });
  await good("source", "refresh", "pitfall");
  await good("plan", "app");
  const again = JSON.parse(await good("history", "rerun", run, "--output", "json", "--progress", "quiet")) as typeof values;
  assert.deepEqual(again.computed, values.computed);
  const newer = JSON.parse(await good("up", "app", "--output", "json", "--progress", "quiet")) as {
    readonly computed: { readonly code: string };
  };
  assert.equal(newer.computed.code, "echo pitfall-3");
  const config = join(world.dir, "app/up.cue");
  const before = readFileSync(config, "utf8");
  writeFileSync(config, before.replace('name: "base"', 'name: "bsae"').replace(first, "sha1:0123456789"));
  const told = await bad(2, "unknown-source", "up", "app");
  assert.match(told, /Did you mean base\?/);
  assert.match(told, /error\[unknown-version\]: The source pinata has no version "sha1:0123456789"/);
  assert.match(told, /up\.cue:\d+:\d+/);
});

test("a source that disappears stops what needs it and nothing else, and is there again when it is", async () => {
  const kept = new Map(builds);
  builds.clear();
  const gone = await dagger("source", "refresh");
  assert.equal(gone.code, 2);
  assert.match(gone.stderr, /error\[source-gone\]: The source dmg is not there: \S+ answers with status 404/);
  assert.match(gone.stdout, /^pinata +sha1:/m);
  await bad(2, "source-gone", "node", "run", "--labels=test,osx", "--input=dmg,pitfall", "--output=tests", "test.sh");
  for (const [number, text] of kept) builds.set(number, text);
  await good("node", "update");
  assert.ok(existsSync(join(world.dir, ".dagger/state/sources/tests/2248/STDOUT")));
});
