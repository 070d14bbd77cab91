// The engine as an embedding program has it: packed, installed, typed; the guide's program on a real buildkitd; two tenants at once.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { repository } from "./dagger.ts";
import { type PackedProject, packedProject } from "./packed.ts";

const guide = readFileSync(join(repository, "docs/embedding.md"), "utf8");
let packed: PackedProject;
let daemon: TestDaemon;

/** The code blocks of a language in the guide, in order. */
function blocks(language: string): string[] {
  return [...guide.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, "gms"))].map(([, text = ""]) => text);
}

before(async () => {
  packed = await packedProject();
  mkdirSync(join(packed.dir, "ci"));
  const [config = ""] = blocks("cue");
  writeFileSync(join(packed.dir, "ci/app.cue"), config);
  daemon = await startBuildkitd();
});
after(async () => {
  await daemon?.stop();
  packed?.remove();
});

test("the program of the guide has types, runs, and prints what the guide says", async () => {
  writeFileSync(join(packed.dir, "guide.ts"), blocks("ts").join("\n"));
  const compiled = await packed.compile("guide.ts");
  assert.equal(compiled.code, 0, compiled.stdout);
  for (const dir of ["data", "tenants/ada", "tenants/bob"]) await packed.seed(join(packed.dir, dir));
  const env = { PATH: process.env["PATH"], BUILDKIT_HOST: daemon.address };
  const { code, stdout, stderr } = await packed.run(["built/guide.js"], env);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  for (const text of [
    "[ { path: 'greeting', ops: 3 } ]",
    '"Ada"\n',
    "needs the secrets token",
    "the token is ***",
    "{ name: 'Ada', greeting: 'Hello, Ada' }",
    "greeting: exec sh -c",
    "ended with 130",
    "2 cue-conflict name",
    "[ 'web-shop' ]",
    "false true\n",
    "done after ",
    "job done\n",
    "[ 'config', 'sh', 'sizes' ]",
    "[ 'current' ]",
    "Not allowed for bob: run of web-shop/staging",
    "{ name: 'staging', greeting: 'Hello, staging' }",
    "{ name: 'ada', greeting: 'Hello, ada' }",
    "{ name: 'bob', greeting: 'Hello, bob' }",
  ]) {
    assert.ok(stdout.includes(text), `${JSON.stringify(text)} is missing in:\n${stdout}`);
  }
  assert.ok(!stdout.includes("s3cret"), stdout);
});

const tenants = `
import { createEngine, UserError } from "cuellb";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [host = "", ...names] = process.argv.slice(2);
const before = JSON.stringify([process.env, process.cwd(), process.listenerCount("SIGINT")]);
async function tenant(name: string): Promise<unknown> {
  const cwd = join(process.cwd(), "of", name);
  mkdirSync(join(cwd, "src"), { recursive: true });
  writeFileSync(join(cwd, "src/who"), name);
  writeFileSync(join(cwd, "app.cue"), readFileSync("tenant.cue"));
  const engine = await createEngine({ env: { BUILDKIT_HOST: host, TOKEN: "token-of-" + name }, cwd, dataDir: join(process.cwd(), "tenants", name) });
  let logs = "";
  const onEvent = (event: Parameters<NonNullable<NonNullable<Parameters<typeof engine.up>[0]>["onEvent"]>>[0]): void => {
    if (event.type === "log") logs += Buffer.from(event.data).toString();
  };
  const runs = [1, 2, 3].map((round) => engine.up({ inputs: { round }, secrets: { token: "env:TOKEN" }, onEvent }));
  const broken = engine.up({ inputs: { round: "x" } }).catch((error: unknown) => (error instanceof UserError ? error.exit : String(error)));
  const thrown = engine
    .up({ inputs: { round: 4 }, secrets: { token: () => "other-token" }, onEvent: () => { throw new Error("listener of " + name); } })
    .catch((error: unknown) => (error as Error).message);
  const values = (await Promise.all(runs)).map((run) => run.values);
  const all = { name, values, broken: await broken, thrown: await thrown, hidden: logs.includes("***") && !logs.includes("token-of"), foreign: names.filter((one) => one !== name && logs.includes("I am " + one)) };
  const last = engine.start({ inputs: { round: 5 }, secrets: { token: async (signal) => new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("late")))) } });
  const seen: string[] = [];
  for await (const event of last.events) {
    seen.push(event.type);
    if (event.type === "phase") void engine.close();
  }
  const ended = await last.result.then(() => 0, (error: unknown) => (error instanceof UserError ? error.exit : String(error)));
  return { ...all, ended };
}
const told = await Promise.all(names.map(tenant));
console.log(JSON.stringify({ told, same: before === JSON.stringify([process.env, process.cwd(), process.listenerCount("SIGINT")]) }));
`;
const tenantConfig = `package app

import "cuellb.dev/op"

round: int
who: {
	string
	#up: [
		op.#FetchContainer & {ref: "docker.io/library/busybox:latest"},
		op.#Exec & {
			args: ["sh", "-c", "echo I am $(cat /src/who), round $ROUND, with $(cat /run/token); cp /src/who /who"]
			env: ROUND: "\\(round)"
			mount: {
				"/run/token": secret: "token"
				"/src": from: [op.#Local & {dir: "src"}]
			}
			always: true
		},
		op.#Export & {source: "/who"},
	]
}
`;

test("two tenants at once in one process get their own files, secrets, values and failures", async () => {
  writeFileSync(join(packed.dir, "tenants.ts"), tenants);
  writeFileSync(join(packed.dir, "tenant.cue"), tenantConfig);
  const names = ["red", "blue"];
  for (const name of names) await packed.seed(join(packed.dir, "tenants", name));
  const compiled = await packed.compile("tenants.ts");
  assert.equal(compiled.code, 0, compiled.stdout);
  const { code, stdout, stderr } = await packed.run(["built/tenants.js", daemon.address, ...names]);
  assert.equal(code, 0, stdout + stderr);
  assert.equal(stderr, "");
  const expected = names.map((name) => ({
    name,
    values: [1, 2, 3].map((round) => ({ round, who: name })),
    broken: 2,
    thrown: `listener of ${name}`,
    hidden: true,
    foreign: [],
    ended: 130,
  }));
  assert.deepEqual(JSON.parse(stdout), { told: expected, same: true });
});
