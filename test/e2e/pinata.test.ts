// The example of Datakit's text: a workspace whose sources and nodes build, test and publish two editions of a program, with stand-ins for all that is elsewhere.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { debianRoot } from "../support/images.ts";
import { repository } from "./dagger.ts";
import { dataWorld, short } from "./data.ts";

const example = join(repository, "examples/pinata");
const world = dataWorld();
const { up, builds, dagger, good, latest } = world;

/** The repository that the example is about, as files. */
const files: Record<string, string> = {};
for (const entry of readdirSync(join(example, "repository"), { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  if (entry.isFile()) files[path.slice(join(example, "repository/").length)] = readFileSync(path, "utf8");
}

/** Brings what is elsewhere to this machine. */
async function prepare(): Promise<void> {
  const imported = await up.bench.dagger(["image", "import", "docker.io/library/gcc:14-bookworm", await debianRoot()]);
  assert.equal(imported.code, 0, imported.stderr);
  for (const script of readdirSync(example).filter((name) => name.endsWith(".sh"))) cpSync(join(example, script), join(world.dir, script));
  await up.git.commit("pinata", { ...files, "v1/backend/backend.c": "int main() { return 0; }\n" }, { tag: "beta12" });
  await up.git.commit("pinata", files);
  const config = join(up.bench.dir, "moby");
  mkdirSync(config);
  const ops = `[{do: "fetch-container", ref: "docker.io/library/busybox:latest"}, {do: "write-file", dest: "/etc/moby", content: "moby 1"}, {do: "push-container", ref: "${up.registry.host}/moby:v1"}]`;
  writeFileSync(join(config, "up.cue"), `package up\nimage: #up: ${ops}\n`);
  await up.succeed("up", config);
  up.page = "Be kind";
  builds.set(2245, "dmg of 2245");
  builds.set(2246, "dmg of 2246");
}

/** Where the example's places are in this test. */
const standIns = (): readonly (readonly [place: string, standIn: string])[] => [
  ["docker/pinata:beta12 -k github", `${up.git.url}/pinata:beta12 -k git`],
  ["docker/pinata -k github", `${up.git.url}/pinata -k git`],
  ["docker/moby:v1", `${up.registry.host}/moby:v1`],
  ["https://example.com/pinata/releases.json", world.releases],
  ["https://example.com/pinata/terms.txt", up.url],
];

/** By script: the id of its node. */
const nodes = new Map<string, string>();

test("the commands of the example make the sources and nodes that it has, and run them", async () => {
  await prepare();
  const lines = readFileSync(join(example, "setup.sh"), "utf8").split("\n");
  for (const line of lines.filter((one) => one.startsWith("dagger "))) {
    const moved = standIns().reduce((text, [place, standIn]) => text.replace(place, standIn), line);
    if (line.includes(" downloads ")) await good("connector", "add", "s3", "store", `endpoint=${world.s3.url}`, ...keys);
    const told = await good(...moved.split(" ").slice(1));
    if (line.includes(" node run ")) nodes.set(line.split(" ").at(-1) ?? "", told.trim());
  }
  const made = join(world.dir, ".dagger/nodes");
  const kept = join(example, ".dagger/nodes");
  if (process.env["UPDATE"] !== undefined) cpSync(made, kept, { recursive: true });
  assert.deepEqual(readdirSync(made).sort(), readdirSync(kept).sort());
  for (const file of readdirSync(made)) assert.equal(readFileSync(join(made, file), "utf8"), readFileSync(join(kept, file), "utf8"));
  const sources = join(example, ".dagger/sources");
  assert.deepEqual(readdirSync(join(world.dir, ".dagger/sources")).sort(), readdirSync(sources).sort());
  for (const file of readdirSync(sources)) {
    const { location: _place, ...own } = JSON.parse(readFileSync(join(world.dir, ".dagger/sources", file), "utf8")) as { location: string };
    const { location: _elsewhere, ...said } = JSON.parse(readFileSync(join(sources, file), "utf8")) as { location: string };
    assert.deepEqual(own, said, file);
  }
});

const keys = ["--secret", "accessKey=env:S3_ID", "--secret", "secretKey=env:S3_KEY"];

const published = (path: string): string => readFileSync(join(world.bucket, "pinata", path), "utf8");

test("both editions are packaged, tested and published, with what has changed since the last beta", () => {
  const backend = join(world.bucket, "pinata/mac/Docker.app/Contents/MacOS/backend");
  const said = execFileSync("sh", ["-c", 'cp "$0" "$1" && chmod 755 "$1" && "$1" 80:8080', backend, join(up.bench.dir, "backend")], {
    encoding: "utf8",
  });
  assert.equal(said, "0.0.0.0:80 -> 192.168.65.2:8080\n");
  assert.equal(published("win/Docker/resources/moby"), "moby 1");
  assert.equal(published("win/Docker/resources/terms.txt"), "Be kind");
  assert.match(published("mac/Docker.app/Contents/Info.plist"), /<string>[0-9a-f]{8}<\/string>/);
  assert.equal(published("summary.csv"), "build,passed,failed\n2246,3,0\ncandidate-mac,3,0\ncandidate-win,3,0\n");
  assert.match(published("CHANGES.txt"), /^Since beta12 \([0-9a-f]{8}\), as of [0-9a-f]{8}:\n {2}\.\/v1\/backend\/backend\.c\n$/);
});

/** Runs what has new inputs; the scripts whose nodes did something, by how that ended. */
async function update(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { stdout } = await dagger("node", "update", "--output", "json");
  const done = JSON.parse(stdout) as readonly { readonly node: string; readonly state: string }[];
  const byState: Record<string, string[]> = {};
  for (const { node, state } of done) {
    const script = [...nodes].find(([, id]) => node.startsWith(id))?.[0] ?? "";
    byState[state] = [...(byState[state] ?? []), script].sort();
  }
  return byState;
}

test("a new build that users have is tested and reported, and nothing is built", async () => {
  builds.set(2247, "dmg of 2247");
  const { success } = await update();
  assert.deepEqual(success, ["publish.sh", "report.sh", "test.sh"]);
  assert.match(published("summary.csv"), /^2247,3,0$/m);
});

test("where a test fails the packages are kept back, and the rest goes on", async () => {
  await up.git.commit("pinata", { "v1/pitfall/cases/40-signed.sh": '# Packages are signed.\n[ -n "$(find "$1" -name signature)" ]\n' });
  const { success, failure } = await update();
  assert.deepEqual(success, ["candidate.sh", "changes.sh", "report.sh", "test.sh"]);
  assert.deepEqual(failure, ["publish.sh"]);
  assert.doesNotMatch(published("summary.csv"), /,1$/m);
  assert.match(await good("node", "log", nodes.get("publish.sh") ?? ""), /^[0-9a-f]{8} +failure /m);
  await up.git.commit("pinata", { "v1/pitfall/cases/40-signed.sh": "# Nobody signs yet.\ntrue\n" });
  assert.deepEqual((await update())["failure"], undefined);
  assert.match(published("summary.csv"), /^candidate-win,4,0$/m);
});

test("a change of the backend builds and packages it again, and tests what users have not", async () => {
  const source = files["v1/backend/backend.c"] ?? "";
  await up.git.commit("pinata", { "v1/backend/backend.c": source.replace("is no HOST:GUEST pair of ports", "are no two ports") });
  const { success, failure } = await update();
  // The tests said the same as before: there is nothing new to report.
  assert.deepEqual(success, ["build.sh", "candidate.sh", "changes.sh", "mac.sh", "publish.sh", "win.sh"]);
  assert.equal(failure, undefined);
});

test("what is published is told back to commits, the image and the build", async () => {
  const records = JSON.parse(await good("inspect", `downloads:${short(await latest("downloads"))}`)) as readonly {
    readonly source?: string;
    readonly commit?: string;
    readonly digest?: string;
  }[];
  const sources = new Set(records.flatMap(({ source }) => source ?? []));
  for (const name of ["pinata", "backend", "pitfall", "mac", "win", "beta12", "moby", "dmg", "terms"]) assert.ok(sources.has(name), name);
  assert.ok(records.some(({ source, digest }) => source === "moby" && /^sha256:[0-9a-f]{64}$/.test(digest ?? "")));
  assert.ok(records.some(({ source, commit }) => source === "pinata" && /^sha1:[0-9a-f]{40}$/.test(commit ?? "")));
  assert.ok(existsSync(join(world.bucket, "pinata/CHANGES.txt")));
});
