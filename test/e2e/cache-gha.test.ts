// Cache of GitHub Actions, on a real server of its protocol: what one workflow's daemon leaves there spares another one the steps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { type ActionsCache, startActionsCache } from "../support/gha.ts";
import { assertCached, assertHidden, upWord } from "./cache-stores.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

let bench: Bench;
let other: TestDaemon;
let gha: ActionsCache;

before(async () => {
  [bench, other, gha] = await Promise.all([startBench(), startBuildkitd(), startActionsCache()]);
});
after(async () => {
  gha.thaw();
  await Promise.all([bench.end(), other.stop(), gha.stop()]);
});

const up = (word: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  upWord(bench, word, args, env);

test("cache goes and comes with the variables of a workflow; the token is shown nowhere", async () => {
  const workflow = { ACTIONS_CACHE_URL: gha.url, ACTIONS_RUNTIME_TOKEN: gha.token };
  const first = await up("workflow", ["--cache-to", "type=gha,mode=max,scope=main"], workflow);
  assert.equal(first.code, 0, first.stderr);
  const second = await up("workflow", ["--cache-from", "type=gha,scope=main"], { ...workflow, BUILDKIT_HOST: other.address });
  assertCached(second, "workflow");
  for (const outcome of [first, second]) assertHidden(outcome, gha.token);
});

test("scopes are caches of their own", async () => {
  const flag = `type=gha,url=${gha.url},token=${gha.token}`;
  const first = await up("scopes", ["--cache-to", `${flag},mode=max,scope=one`]);
  assert.equal(first.code, 0, first.stderr);
  const second = await up("scopes", ["--cache-from", `${flag},scope=two`], { BUILDKIT_HOST: other.address });
  assert.equal(second.code, 0, second.stderr);
  assert.doesNotMatch(second.stderr, /CACHED/);
});
