// Control beside the solves: what the daemon remembers and holds; rules about sources.
import assert from "node:assert/strict";
import { test } from "node:test";
import { failureOf } from "../../test/support/failures.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { definition, exec, type Node, shell, source } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import { type BuildOptions, parseSourcePolicy } from "./index.ts";

const on = solving();

async function run(node: Node, more: Partial<BuildOptions> = {}): Promise<string> {
  const build = await on.client.build({ session: sessionServices(on.layout), exporters: [], record: true, onStatus: () => {}, ...more });
  await build.finish(definition(node));
  return build.ref;
}

test("the daemon remembers builds, good and bad, until they are deleted", async () => {
  const good = await run(shell(on.image, "echo remembered"));
  await failureOf(run(shell(on.image, "exit 5")));
  const records = await on.client.history();
  assert.deepEqual(records.map((record) => record.state).sort(), ["completed", "error"]);
  const record = records.find(({ ref }) => ref === good);
  assert.ok(record !== undefined && record.steps.total >= 2 && (record.completed ?? 0) >= record.created && record.error === "");
  assert.match(records.find(({ state }) => state === "error")?.error ?? "", /exit code: 5/);
  assert.deepEqual(
    (await on.client.history({ filters: ["status==error"] })).map(({ state }) => state),
    ["error"],
  );
  await on.client.changeHistory(good, "pin");
  assert.equal((await on.client.history({ ref: good }))[0]?.pinned, true);
  await on.client.changeHistory(good, "unpin");
  await on.client.changeHistory(good, "delete");
  assert.deepEqual(
    (await on.client.history()).map(({ state }) => state),
    ["error"],
  );
  assert.match((await failureOf(on.client.changeHistory("no-such-build", "delete"))).message, /not found/i);
});

test("cache records say what they are and when they were used; pruning obeys its limits and filters", async () => {
  const cache = { mount: { dest: "/cache", mountType: 3, cacheOpt: { ID: "mine", sharing: 0 } } };
  await run(exec({ root: on.image, args: ["/bin/sh", "-c", "head -c 100000 /dev/urandom > /cache/x"], mounts: [cache] }));
  const now = Date.now();
  const mounts = await on.client.diskUsage(["type==exec.cachemount"]);
  assert.equal(mounts.length, 1);
  assert.ok(mounts[0] !== undefined && mounts[0].bytes > 0 && Math.abs(mounts[0].created - now) < 3_600_000);
  const removed: string[] = [];
  const onRecord = ({ id }: { id: string }): void => void removed.push(id);
  await on.client.prune({ keepFor: 3_600_000 }, onRecord);
  assert.deepEqual(removed, []);
  await on.client.prune({ keepBytes: 1e12 }, onRecord);
  assert.deepEqual(removed, []);
  await on.client.prune({ filters: ["type==exec.cachemount"] }, onRecord);
  assert.deepEqual(removed, [mounts[0].id]);
  await on.client.prune({ all: true }, onRecord);
  assert.ok(removed.length > 1);
  const [worker] = await on.client.listWorkers();
  assert.match(worker?.version ?? "", /^v\d/);
});

test("a source policy denies or replaces sources, in the build's own solve and through the gateway", async () => {
  const deny = parseSourcePolicy(
    '{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://docker.io/library/evil*"}}]}',
    "p.json",
  );
  const evil = definition(shell(source("docker-image://docker.io/library/evil:1"), "true"));
  for (const throughGateway of [false, true]) {
    const build = await on.client.build({
      session: sessionServices(on.layout),
      exporters: [],
      record: false,
      sourcePolicy: deny,
      onStatus: () => {},
    });
    const error = await failureOf(throughGateway ? build.solve(evil) : build.finish(evil));
    assert.match(error.message, /denied by policy/);
    await build.abort();
  }
  const rule = { action: "CONVERT", selector: { identifier: "docker-image://docker.io/library/alias:1" } };
  const updates = { identifier: `oci-layout://busybox/image@${on.layout.digest}`, attrs: { "oci.store": "busybox" } };
  const convert = parseSourcePolicy(JSON.stringify({ rules: [{ ...rule, updates }] }), "p.json");
  await run(shell(source("docker-image://docker.io/library/alias:1"), "echo replaced"), { sourcePolicy: convert });
});

test("a policy that is wrong is refused, with the place in it", () => {
  const refused = (text: string): string => {
    try {
      parseSourcePolicy(text, "p.json");
    } catch (error) {
      return (error as Error).message.replace("Cannot use the source policy p.json: ", "");
    }
    return assert.fail("it was taken");
  };
  assert.match(refused("{"), /^it is not valid JSON/);
  assert.equal(refused("[]"), "the policy must be an object");
  assert.equal(refused('{"rule":[]}'), 'the policy has the unknown field "rule"; it may have version, rules');
  assert.equal(
    refused('{"rules":[{"action":"FORBID","selector":{"identifier":"x"}}]}'),
    "rules[0].action must be one of ALLOW, DENY, CONVERT",
  );
  assert.equal(refused('{"rules":[{"selector":{}}]}'), "rules[0].selector has no identifier");
  assert.equal(
    refused('{"rules":[{"selector":{"identifier":"x"},"updates":{"attrs":{"a":1}}}]}'),
    "rules[0].updates.attrs must be an object of strings",
  );
});
