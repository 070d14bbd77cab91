// Cache in Azure Blob Storage, on a real server of it: what one daemon leaves there spares another one the steps.
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
