// What nodes give to repositories, pushed to a real git server: policies for what changed meanwhile, refusals, servers that are gone, and two at once.
import assert from "node:assert/strict";
import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PushWorld } from "../../test/support/push-world.ts";
import { code } from "../../test/support/run-store.ts";
import { type ConflictPolicy, conflictPolicies } from "../sources/conflict.ts";
import { datumOf, findPush, pushesOf } from "./records.ts";
import { resolveConflicts, type Settled } from "./waiting.ts";

let world: PushWorld;
before(async () => {
  world = await PushWorld.start();
});
after(() => world.stop());

const states = (done: readonly Settled[]): readonly string[] => done.map(({ push, error }) => error?.diagnostics[0]?.code ?? push.state);
const lines = (...changed: readonly string[]): string => [...changed, "b", "c", "d", "e"].join("\n");

test("what a node gave is added to what there is, says where it comes from, and is the newest version before it is pushed", async () => {
  const source = await world.source(
    { "README.md": "read", "docs/old.html": "old" },
    { path: "/docs", author: "Site <site@example.com>", message: "The site" },
  );
  const made = await world.give(source, { "index.html": "hello", 'a b/"odd"\n.txt': "odd" }, "de72");
  assert.notEqual(made.seen.id, made.before.id);
  assert.equal(await world.latest(source), made.seen.id);
  assert.equal(await world.file(source, "docs/index.html"), "");
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  assert.equal(await world.file(source, "docs/index.html"), "hello");
  assert.equal(await world.file(source, 'docs/a b/"odd"\n.txt'), "odd");
  assert.equal(await world.file(source, "docs/old.html"), "old");
  assert.equal(await world.file(source, "README.md"), "read");
  assert.equal(await world.latest(source), made.seen.id);
  const told = await world.server.git(source.name, "log", "-1", "--format=%an <%ae>%n%s%n%(trailers)", "main");
  assert.match(
    told,
    /^Site <site@example\.com>\nThe site\nDagger-Node: de720+\nDagger-Computation: [0-9a-f]{64}\nDagger-Input: app:sha1:1234/,
  );
  // Nothing is left to do, and what is the same makes no commit.
  assert.deepEqual(await world.push(source), []);
  const again = await world.give(source, { "index.html": "hello" });
  assert.deepEqual([again.seen.id, again.data], [made.seen.id, []]);
});

/** Somebody changes the repository after a node began: another file, another line of the same file, or the same line. */
const others = {
  file: { "other.txt": "theirs" },
  line: { "lines.txt": lines("a").replace("e", "THEIRS") },
  same: { "lines.txt": lines("THEIRS") },
} as const;

/** What a policy makes of it: the line of the node, the line of the other one; "conflict" and "branch" for those. */
const expected: Readonly<Record<keyof typeof others, Readonly<Record<ConflictPolicy, string>>>> = {
  file: { fail: "conflict", ours: "OURS+other", theirs: "OURS+other", merge: "OURS+other", branch: "branch" },
  line: { fail: "conflict", ours: "OURS", theirs: "e=THEIRS", merge: "OURS e=THEIRS", branch: "branch" },
  same: { fail: "conflict", ours: "OURS", theirs: "a=THEIRS", merge: "conflict", branch: "branch" },
};

for (const policy of conflictPolicies) {
  test(`policy ${policy}: what becomes of a change that came between`, async () => {
    for (const [what, files] of Object.entries(others)) {
      const source = await world.source({ "lines.txt": lines("a") }, { onConflict: policy });
      const begun = await world.begin(source, "aa");
      const theirs = await world.server.commit(source.name, files);
      const made = await begun.end({ "lines.txt": lines("OURS") });
      const [done] = await world.push(source);
      const want = expected[what as keyof typeof others][policy];
      const text = await world.file(source, "lines.txt");
      const told = [
        ...(text.startsWith("OURS") ? ["OURS"] : text.startsWith("THEIRS") ? ["a=THEIRS"] : []),
        ...(text.includes("\nTHEIRS") ? ["e=THEIRS"] : []),
      ].join(" ");
      if (want === "conflict" || want === "branch") {
        assert.equal(done?.push.state, want === "conflict" ? "conflict" : "pushed", what);
        assert.equal(await world.tip(source), theirs);
        assert.equal(await world.latest(source), `sha1:${theirs}`);
        if (want === "conflict") {
          assert.equal(done?.error?.diagnostics[0]?.code, "push-conflict");
          assert.deepEqual(done?.push.paths, what === "file" || (what === "line" && policy === "merge") ? [] : ["lines.txt"]);
        } else assert.equal(`sha1:${await world.tip(source, done?.push.branch)}`, made.seen.id);
        continue;
      }
      assert.equal(done?.push.state, "pushed", `${what} ${String(done?.error?.message)}`);
      assert.equal(told + ((await world.file(source, "other.txt")) === "" ? "" : "+other"), want, what);
      const tip = await world.tip(source);
      assert.deepEqual([tip, await world.latest(source)], [done?.push.landing, `sha1:${tip}`]);
      assert.equal(await world.server.git(source.name, "rev-parse", `${tip}^1`), theirs);
      // Provenance goes on through what was joined.
      const lineage = await world.store.lineages.trace({ kind: "version", name: source.name, id: `sha1:${tip}` });
      const ids = new Set(lineage?.data.map(({ id }) => id));
      assert.ok(ids.has(made.seen.id) && ids.has(`sha1:${theirs}`) && lineage?.data.some(({ kind }) => kind === "computation"));
    }
  });
}

test("a conflict stays until a person ends it: by a policy, by a branch, by a commit, or by giving up", async () => {
  for (const by of ["ours", "theirs", "merge", "branch", "commit", "drop"] as const) {
    const source = await world.source({ "lines.txt": lines("a") });
    const begun = await world.begin(source, "aa");
    const theirs = await world.server.commit(source.name, others.same);
    await begun.end({ "lines.txt": lines("OURS"), "new.txt": "new" });
    assert.deepEqual(states(await world.push(source)), ["push-conflict"]);
    assert.deepEqual(await world.push(source), []);
    if (by === "commit") {
      await assert.rejects(resolveConflicts(source, { commit: "main" }, world), code("bad-resolution"));
      const byHand = await world.server.commit(source.name, { "lines.txt": lines("BOTH") });
      assert.deepEqual(states(await resolveConflicts(source, { commit: byHand.slice(0, 12) }, world)), ["pushed"]);
      assert.equal(await world.latest(source), `sha1:${byHand}`);
      continue;
    }
    const done = await resolveConflicts(source, by, world);
    if (by === "merge") {
      assert.deepEqual(states(done), ["push-conflict"]);
      assert.deepEqual(states(await resolveConflicts(source, "ours", world)), ["pushed"]);
    } else assert.deepEqual(states(done), [by === "drop" ? "dropped" : "pushed"]);
    const text = (await world.file(source, "lines.txt")).slice(0, 4);
    assert.equal(text, by === "ours" || by === "merge" ? "OURS" : "THEI");
    assert.equal(await world.file(source, "new.txt"), by === "branch" || by === "drop" ? "" : "new");
    if (by === "branch" || by === "drop") assert.equal(await world.tip(source), theirs);
    await assert.rejects(resolveConflicts(source, "ours", world), code("no-conflict"));
  }
});

test("a repository that changes between the merge and the push is merged anew; one that never stops is tried again later", async () => {
  const source = await world.source({ "lines.txt": lines("a") }, { onConflict: "merge" });
  const begun = await world.begin(source, "aa");
  await world.server.commit(source.name, { "0.txt": "0" });
  await begun.end({ "lines.txt": lines("OURS") });
  // Each time somebody pushes, somebody else was there a moment before: as long as `races` says so.
  const hook = join(world.server.root, source.name, "hooks/pre-receive");
  const race = (count: number): void => {
    writeFileSync(join(world.server.root, source.name, "races"), "x".repeat(count));
    const another = "git update-ref refs/heads/main $(git commit-tree main^{tree} -p main -m race)";
    const who = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b; unset GIT_QUARANTINE_PATH";
    writeFileSync(
      hook,
      `#!/bin/sh\n[ -s races ] || exit 0\nleft=$(cat races); printf %s "\${left#x}" > races\n${who}\n${another}\nexit 0\n`,
    );
    chmodSync(hook, 0o755);
  };
  race(2);
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  assert.equal((await world.server.git(source.name, "log", "--format=%s", "main")).split("\n").filter((line) => line === "race").length, 2);
  await world.give(source, { "lines.txt": lines("AGAIN") });
  race(100);
  const [late] = await world.push(source);
  assert.equal(late?.push.state, "waiting");
  assert.equal(late?.error?.diagnostics[0]?.code, "push-failed");
  race(0);
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  assert.match(await world.file(source, "lines.txt"), /^AGAIN/);
});

test("a server that takes nothing, or is gone, loses nothing: it is told why, and what waits is pushed once when it is back", async () => {
  const source = await world.source({ "a.txt": "a" });
  const bare = join(world.server.root, source.name);
  await world.server.git(source.name, "config", "http.receivepack", "false");
  const first = await world.give(source, { "a.txt": "one" });
  const [refused] = await world.push(source);
  assert.deepEqual([refused?.push.state, refused?.error?.diagnostics[0]?.code], ["waiting", "push-refused"]);
  await world.server.git(source.name, "config", "http.receivepack", "true");
  writeFileSync(join(bare, "hooks/pre-receive"), "#!/bin/sh\necho 'main is protected' >&2; exit 1\n");
  chmodSync(join(bare, "hooks/pre-receive"), 0o755);
  const [declined] = await world.push(source);
  assert.match(declined?.error?.message ?? "", /does not take what a node gave: pre-receive hook declined/);
  renameSync(join(bare, "hooks/pre-receive"), join(bare, "hooks/off"));
  renameSync(bare, `${bare}.gone`);
  const [gone] = await world.push(source);
  assert.deepEqual([gone?.push.state, gone?.push.attempts, gone?.error?.diagnostics[0]?.code], ["waiting", 3, "push-failed"]);
  renameSync(`${bare}.gone`, bare);
  assert.equal(await world.latest(source), first.seen.id);
  // What is given meanwhile goes on from it.
  await world.give(source, { "b.txt": "two" });
  assert.deepEqual(states(await world.push(source)), ["pushed", "pushed"]);
  assert.equal(await world.server.git(source.name, "rev-list", "--count", "main"), "3");
});

test("two nodes that give at once: the second goes on from the first; the same file is a conflict as the policy has it", async () => {
  const source = await world.source({ "a.txt": "a" });
  const [one, two] = [await world.begin(source, "11"), await world.begin(source, "22")];
  const first = await one.end({ "one.txt": "1" });
  const second = await two.end({ "two.txt": "2" });
  assert.equal(second.before.id, first.seen.id);
  assert.deepEqual(states(await world.push(source)), ["pushed", "pushed"]);
  assert.equal(await world.file(source, "one.txt"), "1");
  assert.equal(await world.file(source, "two.txt"), "2");
  // Also when the first was pushed before.
  const [three, four] = [await world.begin(source, "33"), await world.begin(source, "44")];
  await three.end({ "three.txt": "3" });
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  await four.end({ "four.txt": "4" });
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  assert.equal(await world.file(source, "three.txt"), "3");
  // The same file.
  for (const policy of ["fail", "ours", "theirs"] as const) {
    const [five, six] = [await world.begin(source, "55"), await world.begin(source, "66")];
    await five.end({ "same.txt": `five ${policy}` });
    await six.end({ "same.txt": `six ${policy}` }, policy);
    await world.push(source);
    assert.equal(await world.file(source, "same.txt"), policy === "ours" ? "six ours" : `five ${policy}`);
    assert.equal((await pushesOf(world.store, source.name, ["conflict"])).length, 1);
  }
  // Both gave the same: there is one commit.
  const [seven, eight] = [await world.begin(source, "77"), await world.begin(source, "88")];
  const made = await seven.end({ "same.txt": "the same" });
  assert.equal((await eight.end({ "same.txt": "the same" }, "ours")).seen.id, made.seen.id);
});

test("what was pushed by a process that could not say so any more is not pushed twice", async () => {
  const source = await world.source({ "a.txt": "a" }, { onConflict: "merge" });
  const begun = await world.begin(source, "aa");
  await world.server.commit(source.name, { "b.txt": "b" });
  const made = await begun.end({ "a.txt": "OURS" });
  const [done] = await world.push(source);
  const tip = await world.tip(source);
  // As it was before its last words.
  const push = await findPush(world.store, source.name, made.seen.id.slice("sha1:".length));
  assert.ok(push !== undefined && done?.push.landing === tip);
  await world.store.lineages.record([datumOf({ ...push, state: "waiting" })]);
  assert.deepEqual(states(await world.push(source)), ["pushed"]);
  assert.equal(await world.tip(source), tip);
  assert.equal(await world.latest(source), `sha1:${tip}`);
});

test("a history that was rewritten is not brought back", async () => {
  const source = await world.source({ "a.txt": "a" }, { onConflict: "ours" });
  await world.server.commit(source.name, { "secret.txt": "s" });
  const begun = await world.begin(source, "aa");
  await world.server.git(source.name, "update-ref", "refs/heads/main", "main^");
  await begun.end({ "b.txt": "b" });
  const [done] = await world.push(source);
  assert.deepEqual([done?.push.state, done?.push.why], ["conflict", "its history was rewritten"]);
  assert.equal(await world.file(source, "secret.txt"), "");
});

test("what a repository cannot have, and what is no branch, is told", async () => {
  const source = await world.source({ "a.txt": "a" });
  await assert.rejects(world.give(source, { "x/.git/config": "no" }), code("node-output"));
  await world.server.tag(source.name, "v1");
  await assert.rejects(world.begin({ ...source, tag: "v1" }, "aa"), /v1 is no branch of/);
});

test("two machines with stores of their own give to one repository at once: what fits together arrives, and no push takes away another", async () => {
  const other = await world.beside();
  const machines = [world, other] as const;
  for (const [policy, file, expected] of [
    ["merge", "apart", ["pushed", "pushed"]],
    ["fail", "lines.txt", ["conflict", "pushed"]],
  ] as const) {
    const source = await world.source({ "lines.txt": lines("a") }, { onConflict: policy });
    const begun = await Promise.all(machines.map((machine, i) => machine.begin(source, `a${i}`)));
    const names = machines.map((_, i) => (file === "apart" ? `apart${i}` : file));
    await Promise.all(begun.map((one, i) => one.end({ [names[i] ?? ""]: lines(`OF${i}`) })));
    const done = await Promise.all(machines.map((machine) => machine.push(source)));
    assert.deepEqual(
      done
        .flat()
        .map(({ push }) => push.state)
        .sort(),
      expected,
      policy,
    );
    const arrived = await Promise.all(names.map((name) => world.file(source, name)));
    for (const [i, text] of arrived.entries()) {
      const [{ push } = { push: { state: "" } }] = done[i] ?? [];
      assert.equal(text === lines(`OF${i}`), push.state === "pushed", `${policy} ${i}: ${push.state}`);
    }
  }
});
