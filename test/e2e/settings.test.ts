// Settings at a real terminal, and several processes at one environment.
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { TestTerminal } from "../support/terminal.ts";
import { type Bench, repository, startBench } from "./dagger.ts";

const config = `package ci

// Who is greeted.
name: string
port: int & <100
greeting: {
	string
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "printf '%s at %s, with %s' \\"$NAME\\" \\"$PORT\\" $(wc -c < /token) > /out"], env: {NAME: name, PORT: "\\(port)"}, mount: "/token": {secret: "token"}},
		{do: "export", source: "/out"},
	]
}
`;
let bench: Bench;
let env: Record<string, string>;
const envFile = (): string => join(bench.dir, ".dagger/stacks/web/envs/default/env.json");

before(async () => {
  bench = await startBench();
  mkdirSync(join(bench.dir, "ci"));
  writeFileSync(join(bench.dir, "ci/ci.cue"), config);
  env = {
    PATH: process.env["PATH"] ?? "",
    HOME: bench.dir,
    DAGGER_DATA_DIR: join(bench.dir, "data"),
    BUILDKIT_HOST: bench.daemon.address,
    TOKEN: "hush",
    TERM: "xterm",
    NO_COLOR: "1",
  };
  for (const args of [["init"], ["stack", "new", "web", "--dir", "ci"]]) assert.equal((await bench.dagger(args)).code, 0);
});
after(async () => {
  chmodSync(join(bench.dir, ".dagger"), 0o755);
  await bench.end();
});

const terminal = (args: readonly string[], more: Record<string, string> = {}): TestTerminal =>
  new TestTerminal([join(repository, "bin/dagger"), ...args], { cwd: bench.dir, env: { ...env, ...more } });

test("with CI in the environment nobody is asked, also at a terminal", async () => {
  const shell = terminal(["up", "-s", "web"], { CI: "true" });
  assert.equal(await shell.ended, 2);
  assert.match(shell.shown, /Missing value: .*name/);
  assert.match(shell.shown, /Missing secret "token"/);
});

test("Ctrl-C at a question ends the run with 130, and nothing is kept", async () => {
  const shell = terminal(["up", "-s", "web"]);
  await shell.until(/name \(string\): /);
  shell.type("\x03");
  assert.equal(await shell.ended, 130);
  assert.deepEqual(JSON.parse(readFileSync(envFile(), "utf8")), { name: "default", settings: {} });
});

test("a terminal is asked for what is missing until CUE takes it, and the answers are kept", async () => {
  const shell = terminal(["up", "-s", "web", "--progress", "plain"]);
  await shell.until(/Who is greeted\./);
  await shell.until(/name \(string\): /);
  shell.type("Ada\r");
  await shell.until(/port \(.*<100.*\): /);
  shell.type("200\r");
  await shell.until(/must be <100/);
  await shell.until(/port \(.*<100.*\): /);
  shell.type("80\r");
  await shell.until(/token \(where the secret comes from.*\): /);
  shell.type("env:TOKEN\r");
  await shell.until(/Ada at 80, with 4/);
  assert.equal(await shell.ended, 0);
  const { settings } = JSON.parse(readFileSync(envFile(), "utf8")) as { settings: unknown };
  assert.deepEqual(settings, { name: { text: "Ada" }, port: { number: 80 }, token: { secret: "env:TOKEN" } });
  const again = await bench.dagger(["up", "-s", "web"], { TOKEN: "hush" });
  assert.equal(again.code, 0, again.stderr);
});

test("deleting asks at a terminal", async () => {
  assert.equal((await bench.dagger(["env", "new", "-s", "web", "old"])).code, 0);
  const no = terminal(["env", "delete", "-s", "web", "old"]);
  await no.until(/Delete the environment old of web with 0 settings and its secrets\? \[y\/N\] /);
  no.type("\r");
  assert.equal(await no.ended, 2);
  const yes = terminal(["env", "delete", "-s", "web", "old"]);
  await yes.until(/\[y\/N\] /);
  yes.type("y\r");
  assert.equal(await yes.ended, 0);
  assert.match(yes.shown, /Deleted web\/old/);
});

test("what several processes set at once is all kept", async () => {
  assert.equal((await bench.dagger(["env", "new", "-s", "web", "shared"])).code, 0);
  const each = ["name=Bo", "port=7", "token=env:TOKEN"].map((one) => {
    const [path = "", value = ""] = one.split("=");
    return bench.dagger(["input", "set", "-s", "web", "-e", "shared", path, value, ...(path === "token" ? ["--kind", "secret"] : [])]);
  });
  for (const { code, stderr } of await Promise.all(each)) assert.equal(code, 0, stderr);
  const shown = await bench.dagger(["env", "show", "-s", "web", "shared", "--output", "json"]);
  const { settings } = JSON.parse(shown.stdout) as { settings: unknown };
  assert.deepEqual(settings, { name: { text: "Bo" }, port: { number: 7 }, token: { secret: "env:TOKEN" } });
});
