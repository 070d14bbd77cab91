// Cache in S3, on a real S3 server: what one daemon leaves there spares another one the steps; and what may be wrong with the store.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { assertCached, assertHidden, upWord } from "./cache-stores.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

let bench: Bench;
let other: TestDaemon;
let s3: S3Server;

before(async () => {
  [bench, other, s3] = await Promise.all([startBench(), startBuildkitd(), startS3()]);
});
after(async () => {
  s3.thaw();
  await Promise.all([bench.end(), other.stop(), s3.stop()]);
});

const up = (word: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  upWord(bench, word, args, env);

function store(bucket: string, more = ""): string {
  return `type=s3,endpoint_url=${s3.url},use_path_style=true,bucket=${bucket},region=us-east-1${more}`;
}

function keys(): string {
  return `,access_key_id=${s3.accessKey},secret_access_key=${s3.secretKey}`;
}

function assertNoKey(outcome: Outcome): void {
  assertHidden(outcome, s3.secretKey);
}

function objects(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: "utf8" });
}

test("cache goes to a bucket and comes from it, with keys from the environment", async () => {
  const dir = s3.bucket("environment");
  const env = { AWS_ACCESS_KEY_ID: s3.accessKey, AWS_SECRET_ACCESS_KEY: s3.secretKey };
  const first = await up("environment", ["--cache-to", store("environment", ",mode=max,name=main")], env);
  assert.equal(first.code, 0, first.stderr);
  assert.ok(
    objects(dir).some((name) => name.startsWith("manifests/main")),
    objects(dir).join("\n"),
  );
  assert.ok(objects(dir).some((name) => name.startsWith("blobs/sha256:")));
  const second = await up("environment", ["--cache-from", store("environment", ",name=main")], { ...env, BUILDKIT_HOST: other.address });
  assertCached(second, "environment");
  for (const outcome of [first, second]) assertNoKey(outcome);
});

test("keys, prefix and names may stand in the flag; they are shown nowhere", async () => {
  const dir = s3.bucket("flags");
  const flags = store("flags", `${keys()},prefix=team/,name=a;b`);
  const first = await up("flags", ["--cache-to", `${flags},mode=max`]);
  assert.equal(first.code, 0, first.stderr);
  assert.ok(
    ["team/manifests/a", "team/manifests/b"].every((name) => objects(dir).includes(name)),
    objects(dir).join("\n"),
  );
  const second = await up("flags", ["--cache-from", flags.replace("a;b", "b")], { BUILDKIT_HOST: other.address });
  assertCached(second, "flags");
  for (const outcome of [first, second]) assertNoKey(outcome);
});

test("wrong keys and a bucket that is not there end a run that leaves cache; ignore-error lets it be", async () => {
  s3.bucket("locked");
  const wrong = `,access_key_id=${s3.accessKey},secret_access_key=wr0ng-Secret`;
  for (const [flag, says] of [
    [store("locked", wrong), /Forbidden/],
    [store("nowhere", keys()), /NoSuchBucket|NotFound/],
  ] as const) {
    const outcome = await up("refused", ["--cache-to", flag]);
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /error\[cache-export-failed\]: Cannot leave cache in the s3 bucket (locked|nowhere): /);
    assert.match(outcome.stderr, says);
    assert.doesNotMatch(outcome.stderr, /wr0ng-Secret/);
    assertNoKey(outcome);
    const ignored = await up("refused", ["--cache-to", `${flag},ignore-error=true`]);
    assert.equal(ignored.code, 0, ignored.stderr);
    assert.match(ignored.stderr, /warning\[cache-export-failed\]: No cache is left in the s3 bucket (locked|nowhere): /);
  }
});

test("a run that cannot take its cache does without, and says so in every way of showing progress", async () => {
  for (const progress of ["plain", "tty", "quiet", "rawjson"]) {
    const outcome = await up("without", ["--progress", progress, "--cache-from", store("nowhere", keys())]);
    assert.equal(outcome.code, 0, outcome.stderr);
    const says = /warning\[cache-import-failed\]: No cache is taken from the s3 bucket nowhere: .*NoSuchBucket/;
    if (progress === "rawjson") assert.match(outcome.stderr, /"warnings":\[\{"code":"cache-import-failed"/);
    else assert.equal([...outcome.stderr.matchAll(new RegExp(says, "g"))].length, 1, outcome.stderr);
    assertNoKey(outcome);
  }
});

test("a store that falls silent ends the run in time, for taking and for leaving; the next run works", async () => {
  s3.bucket("silent");
  const env = { DAGGER_NETWORK_TIMEOUT: "1s" };
  s3.freeze();
  const from = await up("silent", ["--cache-from", store("silent", keys())], env);
  // On another daemon: until the store answers, this one keeps later builds waiting for the cache that it was asked to take.
  const to = await up("silent-to", ["--cache-to", store("silent", keys())], { ...env, BUILDKIT_HOST: other.address });
  s3.thaw();
  assert.equal(from.code, 3, from.stderr);
  assert.match(from.stderr, /error\[cache-silent\]: Cache cannot be taken from the s3 bucket silent: its store gives no answer within 1 s/);
  assert.equal(to.code, 3, to.stderr);
  assert.match(to.stderr, /error\[cache-silent\]: Cache cannot be left in the s3 bucket silent: its store gives no answer within 5 s/);
  for (const outcome of [from, to]) assertNoKey(outcome);
  const again = await up("silent", ["--cache-from", store("silent", keys()), "--cache-to", store("silent", keys())], env);
  assert.equal(again.code, 0, again.stderr);
});
