// Cache of GitHub Actions, on a real server of its protocol: what one workflow's daemon leaves there spares another one the steps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { type ActionsCache, actionsToken, startActionsCache } from "../support/gha.ts";
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

test("a token that has run out and a server that is none of GitHub's are told; ignore-error lets them be", async () => {
  const expired = actionsToken({ expired: true });
  for (const [flag, says] of [
    [`url=${gha.url},token=${expired}`, /cache token expired/],
    [`url=${gha.url}elsewhere/,token=${gha.token}`, /404/],
  ] as const) {
    const outcome = await up("refused", ["--cache-to", `type=gha,scope=refused,${flag}`]);
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /error\[cache-export-failed\]: Cannot leave cache in the gha scope refused: /);
    assert.match(outcome.stderr, says);
    const ignored = await up("refused", ["--cache-to", `type=gha,scope=refused,${flag},ignore-error=true`]);
    assert.equal(ignored.code, 0, ignored.stderr);
    assert.match(ignored.stderr, /warning\[cache-export-failed\]: No cache is left in the gha scope refused: /);
    const taken = await up("refused", ["--cache-from", `type=gha,scope=refused,${flag}`]);
    assert.equal(taken.code, 0, taken.stderr);
    assert.match(taken.stderr, /warning\[cache-import-failed\]: No cache is taken from the gha scope refused: /);
    for (const one of [outcome, ignored, taken]) for (const token of [expired, gha.token]) assertHidden(one, token);
  }
});

test("a server that falls silent ends the run in time, for taking and for leaving; the next run works", async () => {
  const env = { ACTIONS_CACHE_URL: gha.url, ACTIONS_RUNTIME_TOKEN: gha.token, DAGGER_NETWORK_TIMEOUT: "1s" };
  gha.freeze();
  const from = await up("silent", ["--cache-from", "type=gha"], env);
  const to = await up("silent-to", ["--cache-to", "type=gha"], { ...env, BUILDKIT_HOST: other.address });
  gha.thaw();
  assert.equal(from.code, 3, from.stderr);
  assert.match(
    from.stderr,
    /error\[cache-silent\]: Cache cannot be taken from the gha scope buildkit: its store gives no answer within 1 s/,
  );
  assert.equal(to.code, 3, to.stderr);
  assert.match(to.stderr, /error\[cache-silent\]: Cache cannot be left in the gha scope buildkit: its store gives no answer within 5 s/);
  const again = await up("silent", ["--cache-from", "type=gha", "--cache-to", "type=gha"], env);
  assert.equal(again.code, 0, again.stderr);
});
