// Secrets that commands tell: only where it is allowed, once in a run, in the request's directory and environment, ended when the run ends.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fails } from "../../test/support/failures.ts";
import type { SecretScope } from "./provider.ts";
import { parseSecrets, secretReader } from "./sources.ts";

const cwd = mkdtempSync(join(tmpdir(), "secret-command-"));
after(() => rmSync(cwd, { recursive: true, force: true }));
const allowed: SecretScope = { cwd, env: { PATH: process.env["PATH"], WORD: "two words" }, allowHost: true };

async function text(command: string, scope: SecretScope = allowed): Promise<string> {
  return Buffer.from((await secretReader(parseSecrets([`x=cmd:${command}`], cwd), scope)("x")) ?? []).toString();
}

test("what the command prints is the value, without the newline at its end", async () => {
  assert.equal(await text("echo $WORD; pwd"), `two words\n${cwd}`);
  assert.equal(await text("printf 'a\\n\\n'"), "a\n");
});

test("nothing runs that is not allowed", async () => {
  await assert.rejects(text("touch ran", { ...allowed, allowHost: false }), fails("host-not-allowed", 2));
  await assert.rejects(async () => readFileSync(join(cwd, "ran")), /ENOENT/);
});

test("a command that fails is told with what it said, not with what it printed", async () => {
  await assert.rejects(text("echo no; echo why >&2; exit 3"), fails("secret-command-failed", 3, /exit code 3: why$/));
  await assert.rejects(text("kill -9 $$"), fails("secret-command-failed", 3, /a signal/));
  await assert.rejects(text("true", { ...allowed, cwd: join(cwd, "gone") }), fails("secret-command-failed", 3));
});

test("a command that never ends is ended: with the run, or when it has printed too much", async () => {
  await assert.rejects(text("yes; true"), fails("secret-too-large", 2));
  await assert.rejects(text("sleep 600; true", { ...allowed, signal: AbortSignal.timeout(100) }), fails("interrupted", 130));
});

test("a command runs once in a run", async () => {
  const read = secretReader(parseSecrets(["x=cmd:echo once >> count; echo v"], cwd), allowed);
  await Promise.all([read("x"), read("x")]);
  await read("x");
  assert.equal(readFileSync(join(cwd, "count"), "utf8"), "once\n");
});
