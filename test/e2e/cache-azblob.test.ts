// Cache in Azure Blob Storage, on a real server of it: what one daemon leaves there spares another one the steps.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type AzuriteServer, startAzurite } from "../support/azurite.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { assertCached, assertHidden, upWord } from "./cache-stores.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

let bench: Bench;
let other: TestDaemon;
let azurite: AzuriteServer;

before(async () => {
  [bench, other, azurite] = await Promise.all([startBench(), startBuildkitd(), startAzurite()]);
});
after(async () => {
  azurite.thaw();
  await Promise.all([bench.end(), other.stop(), azurite.stop()]);
});

const up = (word: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  upWord(bench, word, args, env);

function store(container: string, key = azurite.key): string {
  return `type=azblob,account_url=${azurite.url},account_name=${azurite.account},secret_access_key=${key},container=${container}`;
}

test("cache goes to a container, which is made for it, and comes from it; the key is shown nowhere", async () => {
  const first = await up("blobs", ["--cache-to", `${store("fresh")},mode=max,prefix=team/,name=a;b`]);
  const second = await up("blobs", ["--cache-from", `${store("fresh")},prefix=team/,name=b`], { BUILDKIT_HOST: other.address });
  assertCached(second, "blobs");
  for (const outcome of [first, second]) assertHidden(outcome, azurite.key);
});

test("a container that is not there holds no cache yet: that is no failure", async () => {
  const outcome = await up("empty", ["--cache-from", store("nothing-yet")]);
  assert.equal(outcome.code, 0, outcome.stderr);
  assert.match(outcome.stderr, /importing cache manifest from azblob\n/);
  assert.doesNotMatch(outcome.stderr, /warning|ERROR/);
});

test("a wrong key is told: when cache is taken the run goes on, when it is left it ends, unless that is to be ignored", async () => {
  await up("wrong", ["--cache-to", store("locked")]);
  const key = Buffer.from("wr0ng-Secret").toString("base64");
  const says = /the azblob container locked: [^\n]*RESPONSE 403[^\n]*\(AuthorizationFailure\)\n/;
  const taking = await up("wrong", ["--cache-from", store("locked", key)]);
  assert.equal(taking.code, 0, taking.stderr);
  assert.match(taking.stderr, /warning\[cache-import-failed\]: No cache is taken from/);
  const leaving = await up("wrong", ["--cache-to", store("locked", key)]);
  assert.equal(leaving.code, 1, leaving.stderr);
  assert.match(leaving.stderr, /error\[cache-export-failed\]: Cannot leave cache in/);
  const ignoring = await up("wrong", ["--cache-to", `${store("locked", key)},ignore-error=true`]);
  assert.equal(ignoring.code, 0, ignoring.stderr);
  assert.match(ignoring.stderr, /warning\[cache-export-failed\]: No cache is left in/);
  for (const outcome of [taking, leaving, ignoring]) {
    assert.match(outcome.stderr, says);
    for (const secret of [key, "wr0ng-Secret"]) assertHidden(outcome, secret);
  }
});

test("a store that falls silent ends the run in time, for taking and for leaving; the next run works", async () => {
  const env = { DAGGER_NETWORK_TIMEOUT: "1s" };
  azurite.freeze();
  const from = await up("silent", ["--cache-from", store("silent")], env);
  // On another daemon: until the store answers, this one keeps later builds waiting for the cache that it was asked to take.
  const to = await up("silent-to", ["--cache-to", store("silent")], { ...env, BUILDKIT_HOST: other.address });
  azurite.thaw();
  assert.equal(from.code, 3, from.stderr);
  assert.match(
    from.stderr,
    /error\[cache-silent\]: Cache cannot be taken from the azblob container silent: its store gives no answer within 1 s/,
  );
  assert.equal(to.code, 3, to.stderr);
  assert.match(
    to.stderr,
    /error\[cache-silent\]: Cache cannot be left in the azblob container silent: its store gives no answer within 1 s/,
  );
  for (const outcome of [from, to]) assertHidden(outcome, azurite.key);
  const again = await up("silent", ["--cache-from", store("silent"), "--cache-to", store("silent")], env);
  assert.equal(again.code, 0, again.stderr);
});
