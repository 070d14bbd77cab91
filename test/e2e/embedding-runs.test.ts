// What the packed engine remembers and keeps: runs that are submitted, read on after a crash, cancelled; tenants of one PostgreSQL; every other call.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { type PackedProject, packedProject } from "./packed.ts";

let packed: PackedProject;
let daemon: TestDaemon;
let postgres: TestPostgres;

const config = `package app

import "cuellb.dev/op"

name: string
word: {
	string
	#up: [
		op.#FetchContainer & {ref: "docker.io/library/busybox:latest"},
		op.#Exec & {
			args: ["sh", "-c", "for i in $(seq 5); do echo line $i of $NAME; done; printf '%s' \\"$NAME\\" > /word; sleep $NAP"]
			env: {NAME: name, NAP: nap}
			always: true
		},
		op.#Export & {source: "/word"},
	]
}
nap: *"0" | string
`;

before(async () => {
  packed = await packedProject();
  mkdirSync(join(packed.dir, "ci"));
  writeFileSync(join(packed.dir, "ci/app.cue"), config);
  await packed.seed(join(packed.dir, "data"));
  daemon = await startBuildkitd();
  postgres = await startPostgres();
});
after(async () => {
  await postgres?.stop();
  await daemon?.stop();
  packed?.remove();
});

/** Compiles and runs a program; gives what it says on its last line as JSON. */
async function program(name: string, text: string, ...args: string[]): Promise<unknown> {
  writeFileSync(join(packed.dir, `${name}.ts`), text);
  const compiled = await packed.compile(`${name}.ts`);
  assert.equal(compiled.code, 0, compiled.stdout);
  const { code, stdout, stderr } = await packed.run([`built/${name}.js`, daemon.address, ...args], { PATH: process.env["PATH"] });
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
}

const start = `
import { createEngine, UserError, type EngineOptions, type RecordedEvent, type RecordedCut } from "cuellb";
import { resolve } from "node:path";

const [host = "", ...args] = process.argv.slice(2);
const options = { env: { PATH: process.env["PATH"], BUILDKIT_HOST: host }, cwd: process.cwd(), dataDir: resolve("data") };
const codeOf = (error: unknown): string => (error instanceof UserError ? \`\${error.exit} \${error.diagnostics[0]?.code}\` : String(error));
`;

const reader = `${start}
// A reader that keeps its cursor, and dies in the middle of a run that another process has.
const [url = "", run = "", after = "0", most = "1"] = args;
const engine = await createEngine({ ...options, store: { url }, tenant: "ada" });
let seen = 0;
for await (const event of engine.runs.events(run, { after: Number(after), follow: true })) {
  console.log(JSON.stringify([event.cursor, event.type]));
  if (++seen === Number(most)) process.kill(process.pid, "SIGKILL");
}
await engine.close();
`;

const submitting = `${start}
import { execFile } from "node:child_process";
const [url = ""] = args;
const store = { url };
const ada = await createEngine({ ...options, store, tenant: "ada" });
const bob = await createEngine({ ...options, store, tenant: "bob" });

const first = await ada.submit({ dir: "ci", inputs: { name: "Ada", nap: "2" }, idempotencyKey: "once" });
const again = await ada.submit({ dir: "ci", inputs: { name: "Ada" }, idempotencyKey: "once" });
const other = await bob.submit({ dir: "ci", inputs: { name: "Bob" }, idempotencyKey: "once" });

// Another process reads three events and is killed; the next one goes on behind the third.
const read = (after: number, most: number): Promise<string> =>
  new Promise((done) => execFile(process.execPath, ["built/reader.js", host, url, first.id, String(after), String(most)], (_error, stdout) => done(stdout)));
const parse = (text: string): [number, string][] => text.trim().split("\\n").map((line) => JSON.parse(line) as [number, string]);
const before = parse(await read(0, 3));
const rest = parse(await read(before.at(-1)?.[0] ?? 0, 100000));
const ended = await ada.runs.wait(first.id);
const cursors = [...before, ...rest].map(([cursor]) => cursor);

let logs = "";
for await (const log of ada.runs.logs(first.id)) if (log.type === "log") logs += Buffer.from(log.data).toString();

const endless = await ada.submit({ dir: "ci", inputs: { name: "Cy", nap: "1000" } });
let cancelling = false;
const failed = endless.result?.catch((error: unknown) => codeOf(error));
// From another engine on the same store: nobody but the store knows of both.
const elsewhere = await createEngine({ ...options, store, tenant: "ada" });
for await (const event of elsewhere.runs.events(endless.id, { follow: true })) {
  if (event.type !== "step" || cancelling) continue;
  cancelling = await elsewhere.runs.cancel(endless.id, { reason: "not needed" });
}
const cancelled = await elsewhere.runs.wait(endless.id);
const aborted = new AbortController();
aborted.abort();

console.log(JSON.stringify({
  same: again.id === first.id && !again.created && again.result === undefined && first.created,
  apart: other.created && other.id !== first.id,
  values: (await first.result)?.values,
  state: ended.state,
  gapless: cursors.every((cursor, index) => cursor === index + 1),
  lines: logs.split("\\n").filter((line) => line.startsWith("line")).length,
  cancelled: [cancelling, cancelled.state, cancelled.reason, await failed],
  over: await ada.runs.cancel(first.id),
  mine: (await ada.runs.list({ states: ["done", "cancelled"] })).runs.length,
  his: (await other.result, await bob.runs.list()).runs.map(({ state }) => state),
  foreign: await bob.runs.show(first.id).catch(codeOf),
  shown: (await ada.runs.show(first.id)).components.map(({ path, state }) => [path, state]),
  outputs: await Promise.all([ada, bob].map((engine) => engine.outputs.query("word", { dir: "ci" }).catch(codeOf))),
  diff: (await ada.runs.diff(first.id, endless.id)).facts.some(({ name }) => name === "state"),
  signal: await ada.runs.wait(first.id, { signal: aborted.signal }).catch(codeOf),
  pruned: await ada.runs.prune({ keep: 1 }),
}));
for (const engine of [ada, bob, elsewhere]) await engine.close();
`;

test("a run that is submitted to a PostgreSQL runs once, is read on by another process after a crash, and cancelled from anywhere", async () => {
  writeFileSync(join(packed.dir, "reader.ts"), reader);
  const compiled = await packed.compile("reader.ts");
  assert.equal(compiled.code, 0, compiled.stdout);
  const told = await program("submitting", submitting, await postgres.database());
  assert.deepEqual(told, {
    same: true,
    apart: true,
    values: { name: "Ada", word: "Ada", nap: "2" },
    state: "done",
    gapless: true,
    lines: 5,
    cancelled: [true, "cancelled", "cancelled", "130 run-cancelled"],
    over: false,
    mine: 2,
    his: ["done"],
    foreign: "2 unknown-run",
    shown: [["word", "done"]],
    outputs: ["Ada", "Bob"],
    diff: true,
    signal: "130 interrupted",
    pruned: 1,
  });
});

const keeping = `${start}
const asked: string[] = [];
const authorize: EngineOptions["authorize"] = ({ action, resource, actor = "" }) => {
  asked.push(\`\${action} \${resource} \${actor}\`.trim());
  return actor !== "mallory";
};
const engine = await createEngine({ ...options, authorize });
const outside = await createEngine({ ...options, cwd: resolve("ci") });
const unrecorded = await outside.submit({ inputs: { name: "x" } }).catch(codeOf);
await engine.stacks.init();
await engine.stacks.create({ name: "app", source: { dir: "ci" }, environments: ["dev"] });
await engine.stacks.create({ name: "web", source: { dir: "ci" }, environments: ["dev"] });
await engine.stacks.inputs.set("app", "dev", [{ path: "name", text: "Ada" }]);
await engine.stacks.inputs.set("web", "dev", [{ path: "name", text: "app.word", kind: "output" }]);
const before = (await engine.stacks.states("web")).map(({ state }) => state);

await engine.secrets.set("app", "dev", "token", "the-secret-value");
const secrets = { names: await engine.secrets.list("app", "dev"), recipients: (await engine.secrets.recipients("app", "dev")).length };
const rotated = (await engine.secrets.rotate("app", "dev")).startsWith("age1");
await engine.secrets.changeRecipients("app", "dev", { add: ["age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"] });
const shared = (await engine.secrets.recipients("app", "dev")).length;
await engine.secrets.unset("app", "dev", "token");

const states: string[] = [];
const both = await engine.up({ stack: "web", environment: "dev", withDependencies: true, onEvent: (event) => {
  if (event.type === "dependency") states.push(event.state);
} });

const plan = await engine.plan({ stack: "app", environment: "dev", out: "app.plan" });
const planned = await engine.up({ plan: "app.plan" });
const conflicting = await engine.up({ plan: "app.plan", dir: "ci" }).catch(codeOf);
await engine.stacks.inputs.set("app", "dev", [{ path: "name", text: "Cy" }]);
const outdated = await engine.up({ plan: "app.plan" }).catch(codeOf);

const lock = [await engine.lock.check({ dir: "ci", inputs: { name: "x" } }), await engine.lock.update({ stack: "app", environment: "dev" })];
await engine.modules.init("example.com/app", { dir: "module" }).catch(codeOf);
const modules = [await engine.modules.get([], { dir: "module" }), await engine.modules.vendor({ dir: "module" })];
const go = await engine.catalog.show("go", { offline: true });
const refused = await engine.up({ dir: "ci", inputs: { name: "x" }, actor: "mallory" }).catch(codeOf);
const unread = await engine.runs.events("latest", { actor: "mallory" }).next().catch(codeOf);
const types = new Set<string>();
const [done] = (await engine.runs.list({ states: ["done"], limit: 1 })).runs;
for await (const event of engine.runs.events(done?.id ?? "")) types.add(event.type);
const rerun = (await engine.runs.rerun(done?.id ?? "")).values;
const resumed = await engine.runs.resume(done?.id ?? "").catch(codeOf);
const restored = await engine.runs.restore().catch(codeOf);
const renewed = (await engine.secrets.rotate("app", "dev", { forgetLost: true })).startsWith("age1");
const crowd = await createEngine({ ...options, runsAtOnce: 0 }).catch(codeOf);
await engine.close();
console.log(JSON.stringify({
  rerun, resumed, restored, renewed, crowd, unrecorded, before, secrets, rotated, shared, states,
  values: both.values, dependencies: both.dependencies?.map(({ state }) => state),
  lacks: plan.lacks, planned: planned.values, conflicting, outdated,
  lock: lock.map(({ entries }) => entries.length), modules,
  library: (await Promise.resolve(go.definitions)).map(({ name }) => name), found: go.definitions[0]?.inputs.length !== 0,
  refused, unread, types: ["phase", "step"].every((type) => types.has(type)),
  asked: ["write app", "secrets.write app/dev", "run web/dev", "plan app/dev", "run plan/app.plan", "read catalog", "run ./ci mallory", "read run/latest mallory"].filter((one) => !asked.includes(one)),
  closed: await engine.runs.list().catch(codeOf),
}));
`;

test("stacks, secrets, plans, the lock, modules and the catalog are kept by the same calls as the command line's, where they are allowed", async () => {
  mkdirSync(join(packed.dir, "module"));
  const told = await program("keeping", keeping);
  assert.deepEqual(told, {
    rerun: { name: "Ada", word: "Ada", nap: "0" },
    resumed: "2 nothing-to-resume",
    restored: "2 store-whole",
    renewed: true,
    crowd: "2 bad-engine",
    unrecorded: "2 no-workspace",
    before: ["missing"],
    secrets: { names: ["token"], recipients: 1 },
    rotated: true,
    shared: 2,
    states: ["started", "done"],
    values: { name: "Ada", word: "Ada", nap: "0" },
    dependencies: ["done"],
    lacks: { secrets: [], ssh: [], allowHost: false },
    planned: { name: "Ada", word: "Ada", nap: "0" },
    conflicting: "2 bad-request",
    outdated: "2 plan-outdated",
    lock: [0, 0],
    modules: [[], []],
    library: ["#Build", "#Test", "#Run"],
    found: true,
    refused: "2 not-authorized",
    unread: "2 not-authorized",
    types: true,
    asked: [],
    closed: "2 engine-closed",
  });
});
