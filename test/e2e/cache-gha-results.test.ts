// Cache of GitHub Actions as GitHub itself has it now (version 2 of the protocol): keys from a results service, data in a real Azure Blob Storage.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { actionsToken } from "../support/gha.ts";
import { type ActionsResults, startActionsResults } from "../support/gha-results.ts";
import { assertCached, assertHidden, upWord } from "./cache-stores.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

let bench: Bench;
let other: TestDaemon;
let results: ActionsResults;

before(async () => {
  [bench, other, results] = await Promise.all([startBench(), startBuildkitd(), startActionsResults()]);
});
after(async () => {
  await Promise.all([bench.end(), other.stop(), results.stop()]);
});

const up = (word: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  upWord(bench, word, args, env);

/** As GitHub sets them for actions; the old address is there too, and nobody answers at it. */
const workflow = (): Record<string, string> => ({
  ACTIONS_CACHE_SERVICE_V2: "True",
  ACTIONS_RESULTS_URL: results.url,
  ACTIONS_RUNTIME_TOKEN: results.token,
  ACTIONS_CACHE_URL: "http://127.0.0.1:1/",
});

test("cache goes and comes with the variables of a workflow, on an emptied daemon and on another one; the token is shown nowhere", async () => {
  const first = await up("workflow", ["--cache-to", "type=gha,mode=max,scope=main"], workflow());
  assert.equal(first.code, 0, first.stderr);
  assert.doesNotMatch(first.stderr, /CACHED|warning/);
  for (const method of ["CreateCacheEntry", "FinalizeCacheEntryUpload"]) assert.ok(results.calls.includes(method), method);
  await bench.prune();
  const second = await up("workflow", ["--cache-from", "type=gha,scope=main"], workflow());
  assertCached(second, "workflow");
  const third = await up("workflow", ["--cache-from", "type=gha,scope=main"], { ...workflow(), BUILDKIT_HOST: other.address });
  assertCached(third, "workflow");
  for (const outcome of [first, second, third]) assertHidden(outcome, results.token);
});

test("attributes say the same as the variables, and go before them; the cache is replaced by the next one of its scope", async () => {
  const wrong = { ...workflow(), ACTIONS_RESULTS_URL: "http://127.0.0.1:1/", ACTIONS_RUNTIME_TOKEN: actionsToken({ permission: 2 }) };
  for (const [word, flag] of [
    ["second", `type=gha,url_v2=${results.url},token=${results.token},scope=attrs`],
    ["versioned", `type=gha,version=2,url_v2=${results.url},url=http://127.0.0.1:1/,token=${results.token},scope=attrs`],
  ] as const) {
    const first = await up(word, ["--cache-to", `${flag},mode=max`], wrong);
    assert.equal(first.code, 0, first.stderr);
    await bench.prune();
    const second = await up(word, ["--cache-from", flag], wrong);
    assertCached(second, word);
  }
});

test("an address of data that has run out is asked for again", async () => {
  const flag = `type=gha,url_v2=${results.url},token=${results.token},scope=late`;
  const first = await up("late", ["--cache-to", `${flag},mode=max`]);
  assert.equal(first.code, 0, first.stderr);
  await bench.prune();
  results.expireNext();
  const second = await up("late", ["--cache-from", flag]);
  assertCached(second, "late");
});

test("a scope that has no cache yet is no failure", async () => {
  const outcome = await up("empty", ["--cache-from", "type=gha,scope=nothing-yet"], workflow());
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.doesNotMatch(outcome.stderr, /warning|ERROR/);
});

test("a wrong token, one that may only read, and one that has run out are told; ignore-error lets them be", async () => {
  const [foreign, expired] = [actionsToken({ permission: 7 }), actionsToken({ expired: true })];
  for (const [token, says, reads] of [
    [foreign, /unauthenticated/, false],
    [results.readToken, /permission_denied/, true],
    [expired, /cache token expired/, false],
  ] as const) {
    const env = { ...workflow(), ACTIONS_RUNTIME_TOKEN: token };
    const leaving = await up("refused", ["--cache-to", "type=gha,scope=refused"], env);
    assert.equal(leaving.code, 1, leaving.stderr);
    assert.match(leaving.stderr, /error\[cache-export-failed\]: Cannot leave cache in the gha scope refused: /);
    assert.match(leaving.stderr, says);
    const ignoring = await up("refused", ["--cache-to", "type=gha,scope=refused,ignore-error=true"], env);
    assert.equal(ignoring.code, 0, ignoring.stderr);
    assert.match(ignoring.stderr, /warning\[cache-export-failed\]: No cache is left in the gha scope refused: /);
    const taking = await up("refused", ["--cache-from", "type=gha,scope=refused"], env);
    assert.equal(taking.code, 0, taking.stderr);
    if (reads) assert.doesNotMatch(taking.stderr, /warning/);
    else assert.match(taking.stderr, /warning\[cache-import-failed\]: No cache is taken from the gha scope refused: /);
    for (const outcome of [leaving, ignoring, taking]) assertHidden(outcome, token);
  }
});

for (const part of ["keys", "blobs"] as const) {
  test(`a service that falls silent (${part}) ends the run in time, for taking and for leaving; the next run works`, async () => {
    const env = { ...workflow(), DAGGER_NETWORK_TIMEOUT: "1s" };
    const word = `silent-${part}`;
    // Something to take must be there: without it the data is never asked for.
    const ready = await up(word, ["--cache-to", `type=gha,mode=max,scope=${part}`], env);
    assert.equal(ready.code, 0, ready.stderr);
    await bench.prune();
    results.freeze(part);
    const from = await up(word, ["--cache-from", `type=gha,scope=${part}`], env);
    const to = await up(`${word}-to`, ["--cache-to", `type=gha,scope=${part}-to`], { ...env, BUILDKIT_HOST: other.address });
    results.thaw();
    assert.equal(from.code, 3, from.stderr);
    const store = `the gha scope ${part}`;
    assert.match(
      from.stderr,
      new RegExp(`error\\[cache-silent\\]: Cache cannot be taken from ${store}: its store gives no answer within 1 s`),
    );
    assert.equal(to.code, 3, to.stderr);
    assert.match(
      to.stderr,
      new RegExp(`error\\[cache-silent\\]: Cache cannot be left in ${store}-to: its store gives no answer within 5 s`),
    );
    for (const outcome of [from, to]) assertHidden(outcome, results.token);
    const again = await up(word, ["--cache-from", `type=gha,scope=${part}`, "--cache-to", `type=gha,scope=${part}`], env);
    assert.equal(again.code, 0, again.stderr);
  });
}
