// Nodes that give to a repository, on a real buildkitd and a git server: pushed by the command, by a watch beside the nodes, and by whoever comes after a killed process.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { s3Url, signed } from "../../engine/connectors/s3-request.ts";
import { repository } from "./dagger.ts";
import { dataWorld, short } from "./data.ts";

const world = dataWorld();
const { up, environment, dagger, good, bad, latest } = world;
const late = 180_000;

const site = {
  file: async (path: string, branch = "main"): Promise<string> => up.git.git("site", "show", `${branch}:${path}`).catch(() => ""),
  tip: async (): Promise<string> => up.git.git("site", "rev-parse", "main"),
  count: async (): Promise<number> => Number(await up.git.git("site", "rev-list", "--count", "main")),
};
/** What the server does before it takes a push; undefined for nothing. */
function hook(text: string | undefined): void {
  const file = join(up.git.root, "site/hooks/pre-receive");
  rmSync(file, { force: true });
  if (text === undefined) return;
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
}

async function until(what: () => Promise<boolean> | boolean, why: () => string): Promise<void> {
  for (const end = Date.now() + late; !(await what()); await sleep(100)) assert.ok(Date.now() < end, why());
}

interface Watch {
  readonly says: (what: RegExp) => Promise<void>;
  readonly told: () => string;
  readonly end: () => Promise<void>;
}

/** `dagger watch`, as it is in a terminal. */
function watch(): Watch {
  let told = "";
  const args = ["watch", "--sources", "--poll", "300ms", "--progress", "plain"];
  const child = spawn(join(repository, "bin/dagger"), args, { cwd: world.dir, env: environment(), stdio: ["ignore", "ignore", "pipe"] });
  child.stderr.on("data", (data: Buffer) => (told += data.toString()));
  return {
    told: () => told,
    says: (what) =>
      until(
        () => what.test(told),
        () => `${what}: ${told}`,
      ),
    end: async () => {
      const closed = once(child, "close");
      child.kill("SIGINT");
      await closed;
    },
  };
}

/** Of the node that gives to the site. */
let node = "";
const build = ["node", "run", "--input", "app", "--output", "site", "--", "cp ${app:ROOT}/text ${site:ROOT}/index.html"];

test("what a node gives to a repository is a commit of it, pushed, and told back to what it was made from", async () => {
  await up.git.commit("app", { text: "one" });
  await up.git.commit("site", { "README.md": "read", "docs/old.html": "old" });
  await up.git.git("site", "config", "http.receivepack", "true");
  await good("init");
  await good("source", "add", "app", `${up.git.url}/app`, "-k", "git");
  assert.match(
    await good("source", "add", "site", `${up.git.url}/site`, "-k", "git", "--path", "/docs", "--author", "Site <site@example.com>"),
    /site +git/,
  );
  await good("source", "add", "page");
  node = (await good(...build)).trim();
  assert.equal(await site.file("docs/index.html"), "one");
  assert.equal(await site.file("README.md"), "read");
  assert.match(
    await up.git.git("site", "log", "-1", "--format=%an%n%(trailers)", "main"),
    new RegExp(`^Site\nDagger-Node: ${node}[0-9a-f]{56}\n`),
  );
  const id = await latest("site");
  // The source follows a path of it: its version is the hash of that.
  assert.equal(id, `sha1:${await up.git.git("site", "rev-parse", "main:docs")}`);
  const records = JSON.parse(await good("inspect", `site:${short(id)}`)) as readonly { readonly node?: string; readonly source?: string }[];
  assert.ok(records.some((record) => record.node === node));
  assert.ok(records.some(({ source }) => source === "app"));
  // Seen again it is the same version, and the same content makes no other.
  assert.match(await good("source", "refresh", "site"), /site +sha1:\S+ *\n/);
  await good("node", "update", "--force");
  assert.equal(await latest("site"), id);
  assert.equal(await site.count(), 2);
});

test("a change that came between is a conflict, which is kept and told until somebody ends it", async () => {
  await good("node", "run", "--input", "site", "--output", "page", "--", "cp ${site:ROOT}/index.html ${page:ROOT}/page.html");
  await up.git.commit("app", { text: "two" });
  hook("exit 1");
  const refused = await dagger("node", "update");
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /error\[push-refused\]: The source site does not take what a node gave: pre-receive hook declined/);
  // It counts already: the node behind it took it from here.
  assert.equal(readFileSync(join(world.dir, ".dagger/state/sources/page/page.html"), "utf8"), "two");
  assert.match(await good("source", "list"), /^site +sha1:\S+ +1 to push$/m);
  hook(undefined);
  await up.git.commit("site", { "docs/index.html": "by hand" });
  assert.match(await bad(1, "push-conflict", "source", "push"), /files that both changed: docs\/index\.html/);
  assert.match(
    await good("source", "conflicts"),
    new RegExp(`^site +[0-9a-f]{8} +${node} +conflict +it has changed since the node began: docs/index\\.html$`, "m"),
  );
  assert.match(await good("source", "list"), /^site +sha1:\S+ +1 conflict$/m);
  await bad(1, "push-conflict", "node", "update", node);
  await bad(1, "push-conflict", "source", "resolve", "site", "--merge");
  assert.match(await good("source", "resolve", "site", "--ours"), /^site +[0-9a-f]{8} +\S+ +pushed +by [0-9a-f]{8}$/m);
  assert.equal(await site.file("docs/index.html"), "two");
  assert.equal((await good("source", "conflicts")).split("\n").length, 2);
  await bad(2, "no-conflict", "source", "resolve", "site", "--ours");
});

test("policies are of the source, or of one run", async () => {
  assert.match(await good("source", "set", "site", "--on-conflict", "theirs"), /on conflict theirs$/m);
  await bad(2, "bad-policy", "source", "set", "page", "--on-conflict", "ours");
  await bad(2, "bad-policy", "source", "add", "b", "s3://downloads", "--on-conflict", "merge");
  await bad(2, "bad-source", "source", "set", "site", "--author", "nobody");
  await bad(2, "bad-flag-value", "source", "resolve", "site");
  await bad(2, "bad-flag-value", "source", "resolve", "site", "--ours", "--drop");
  const branches = async (): Promise<string> => up.git.git("site", "branch", "--list", "dagger/*");
  for (const [text, flags, want] of [
    ["three", [], "by hand 3"],
    ["four", ["--on-conflict", "branch"], "by hand 4"],
  ] as const) {
    await up.git.commit("app", { text });
    hook("exit 1");
    await bad(3, "push-refused", "node", "update", node, ...flags);
    hook(undefined);
    await up.git.commit("site", { "docs/index.html": want });
    await good("source", "push", "site");
    assert.equal(await site.file("docs/index.html"), want);
  }
  assert.match(await branches(), /^ *dagger\/[0-9a-f]{8}-[0-9a-f]{8}$/);
});

test("a node that takes what it gives is refused; one that takes its branch by another source comes to rest, or is told as a loop", async () => {
  await bad(2, "data-cycle", "node", "run", "--input", "site", "--output", "site", "--", "ls");
  await up.git.commit("site", { "src/in.txt": "in" });
  await good("source", "add", "src", `${up.git.url}/site`, "-k", "git", "--path", "/src");
  const apart = (
    await good("node", "run", "--input", "src", "--output", "site", "--", "cp ${src:ROOT}/in.txt ${site:ROOT}/in.html")
  ).trim();
  assert.equal(await site.file("docs/in.html"), "in");
  await good("node", "update");
  assert.match(await good("node", "log", apart), /^ID.*\n[^\n]* success [^\n]*\n$/);
  await good("node", "remove", apart, "--yes");

  await good("source", "add", "whole", `${up.git.url}/site`, "-k", "git");
  const same = (
    await good("node", "run", "--input", "whole", "--output", "site", "--", "cp ${whole:ROOT}/README.md ${site:ROOT}/README.md")
  ).trim();
  await good("node", "update");
  const count = await site.count();
  await good("node", "update");
  assert.equal(await site.count(), count);
  await good("node", "remove", same, "--yes");

  const grows = ["--input", "whole", "--output", "site", "--", "touch ${site:ROOT}/$(ls ${whole:ROOT}/docs | wc -l).txt"];
  const loop = (await good("node", "run", ...grows)).trim();
  const { says, end } = watch();
  await says(
    new RegExp(`error\\[data-loop\\]: The node ${loop} runs in a loop: .* in the source whole but what came from the node itself`),
  );
  await end();
  await good("node", "remove", loop, "--yes");
  await good("source", "remove", "whole", "--yes");
});

test("a process that is killed between its commit and its push loses nothing: the next command pushes it, once", async () => {
  const before = await site.count();
  await up.git.commit("app", { text: "killed" });
  // The server holds the push until the file is there.
  const gate = join(up.bench.dir, "gate");
  const reached = join(up.bench.dir, "reached");
  hook(`touch ${reached}; while [ ! -e ${gate} ]; do sleep 0.1; done; exit 1`);
  const child = spawn(join(repository, "bin/dagger"), ["node", "update", node], { cwd: world.dir, env: environment(), stdio: "ignore" });
  const ended = once(child, "exit");
  await until(
    () => existsSync(reached),
    () => "nothing was pushed",
  );
  child.kill("SIGKILL");
  await ended;
  writeFileSync(gate, "");
  hook(undefined);
  assert.equal(await site.count(), before);
  assert.match(await good("node", "log", node), /^ID.*\n[0-9a-f]{8} +success /);
  await good("node", "update", node);
  assert.equal(await site.file("docs/index.html"), "killed");
  assert.equal(await site.count(), before + 1);
  assert.equal(await good("source", "push"), await good("source", "push"));
  assert.equal(await site.count(), before + 1);
});

test("a watch pushes beside the nodes, which do not wait for it, and does so again when the server is back", async () => {
  const { says, end, told } = watch();
  await says(/Following \d+ sources/);
  await up.git.commit("app", { text: "watched" });
  await says(/Node [0-9a-f]{8} gave site:[0-9a-f]{8}\n/);
  await says(/Pushed [0-9a-f]{8} to site\n/);
  assert.equal(await site.file("docs/index.html"), "watched");
  const page = (): string => readFileSync(join(world.dir, ".dagger/state/sources/page/page.html"), "utf8");
  await until(() => page() === "watched", told);
  // Nothing comes of what was pushed: it is the version that is known.
  const count = await site.count();
  hook("exit 1");
  await up.git.commit("app", { text: "later" });
  await says(/error\[push-refused\]/);
  await says(/Pushing to site is tried again in/);
  await until(() => page() === "later", told);
  hook(undefined);
  await says(/tried again[\s\S]*Pushed [0-9a-f]{8} to site\n/);
  assert.equal(await site.count(), count + 1);
  await end();
});

test("objects of a bucket that somebody else changed while a node ran are a conflict, unless the policy says what counts", async () => {
  mkdirSync(join(world.bucket, "out"), { recursive: true });
  const keys = ["--secret", "accessKey=env:S3_ID", "--secret", "secretKey=env:S3_KEY"];
  await good("connector", "add", "s3", "store", `endpoint=${world.s3.url}`, ...keys);
  await good("source", "add", "out", "s3://downloads/out");
  const object = join(world.bucket, "out/index.html");
  const change = async (): Promise<void> => {
    const [url, body] = [s3Url(world.s3.url, "downloads", "out/index.html"), Buffer.from("somebody else's")];
    const login = { id: world.s3.accessKey, key: world.s3.secretKey, token: "" };
    const headers = signed({ method: "PUT", url, region: "us-east-1", body }, login, new Date());
    assert.equal((await fetch(url, { method: "PUT", headers, body })).status, 200);
  };
  // The command asks for its result, and meanwhile somebody changes the object.
  const server = createServer((_, response) => {
    void change().then(() => response.end("the node's"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const run = (...flags: readonly string[]): readonly string[] => {
      const command = ["--input", "app", "--output", "out", "--", "wget", "-q", "-O", "${out:ROOT}/index.html", url];
      return ["node", "run", "--force", ...flags, ...command];
    };
    assert.match(await bad(1, "push-conflict", ...run()), /changed since the node began: the object index\.html/);
    assert.equal(readFileSync(object, "utf8"), "somebody else's");
    rmSync(object);
    await good(...run("--on-conflict", "theirs"));
    assert.equal(readFileSync(object, "utf8"), "somebody else's");
    rmSync(object);
    await good(...run("--on-conflict", "ours"));
    assert.equal(readFileSync(object, "utf8"), "the node's");
    await bad(2, "bad-policy", ...run("--on-conflict", "merge"));
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
