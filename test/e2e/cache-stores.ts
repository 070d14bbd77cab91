// Runs jobs whose cache lies in a store elsewhere, for the end-to-end tests of caches.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bench, Outcome } from "./dagger.ts";

/** Runs a job of one step, which is known by its word. */
export async function upWord(
  bench: Bench,
  word: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  mkdirSync(join(bench.dir, word), { recursive: true });
  const ops = `{do: "fetch-container", ref: "busybox"}, {do: "exec", args: ["sh", "-c", "echo ${word} > /x"]}, {do: "export", source: "/x"}`;
  writeFileSync(join(bench.dir, word, "job.cue"), `package job\nout: {string, #up: [${ops}]}\n`);
  return bench.dagger(["up", "--progress", "plain", "--output", "json", ...args, `./${word}`], env);
}

/** The job of a word took its step from the cache. */
export function assertCached({ code, stderr }: Outcome, word: string): void {
  assert.equal(code, 0, stderr);
  assert.match(stderr, new RegExp(`\\] exec sh -c echo ${word} > /x\\n#\\d+ CACHED`));
}

/** A secret is nowhere in what dagger printed, in no form. */
export function assertHidden({ stdout, stderr }: Outcome, secret: string): void {
  const forms = [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")];
  for (const form of forms) assert.ok(!(stdout + stderr).includes(form), `${form} is in:\n${stdout}${stderr}`);
}
