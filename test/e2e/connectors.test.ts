// A connector from end to end: a config that knows neither registry nor login pushes an image to a real registry that asks for one.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, startBench } from "./dagger.ts";

const login = { username: "me", password: "geheim and long" };
let bench: Bench;
let registry: TestRegistry;

before(async () => {
  [bench, registry] = await Promise.all([startBench(), startRegistry({ login })]);
});
after(async () => {
  await registry?.stop();
  await bench?.end();
});

const config = `package up

import (
	"cuellb.dev/connector"
	"cuellb.dev/docker"
)

registry: connector.#Registry

push: docker.#Push & {
	source: [{do: "write-file", dest: "/f", content: "x"}]
	name:    "\\(registry.host)/app:1"
	"login": registry.login
}
`;

test("docker.#Push takes registry and login of a connector; the password is nowhere in what is kept", async () => {
  mkdirSync(join(bench.dir, "ci"));
  writeFileSync(join(bench.dir, "ci/up.cue"), config);
  const done = async (args: readonly string[], password = login.password): Promise<{ stdout: string; stderr: string }> => {
    const outcome = await bench.dagger(args, { PASSWORD: password });
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  await done(["init"]);
  const fields = [`host=${registry.host}`, "username=me", "insecure=true"];
  await done(["connector", "add", "registry", "own", ...fields, "--secret", "password=env:PASSWORD"]);
  assert.match((await done(["connector", "check"])).stdout, new RegExp(`^ok +own +logged in to ${registry.host} as me$`, "m"));
  const pushed = await done(["up", "ci", "--progress", "plain", "--output", "json"]);
  assert.match(pushed.stdout, /sha256:[0-9a-f]{64}/);
  assert.ok(!`${pushed.stdout}${pushed.stderr}`.includes(login.password));
  const answer = await fetch(`http://${registry.host}/v2/app/tags/list`, {
    headers: { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}` },
  });
  assert.deepEqual(await answer.json(), { name: "app", tags: ["1"] });

  const wrong = await bench.dagger(["connector", "check", "--output", "json"], { PASSWORD: "something else" });
  assert.equal(wrong.code, 2);
  assert.equal((JSON.parse(wrong.stdout) as { code?: string }[])[0]?.code, "connector-login");
  const kept = join(bench.dir, ".dagger");
  const files = readdirSync(kept, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  for (const { parentPath, name } of files) assert.ok(!readFileSync(join(parentPath, name), "latin1").includes(login.password), name);
});
