// What the tests of the store of runs share.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UserError } from "../../compiler/index.ts";
import { type NewLog, type NewRun, openStore, type Store, type StoreLocation, type StoreOptions } from "../../engine/store/index.ts";

export async function temporaryDirectory(): Promise<{ dir: string; remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "dagger-store-"));
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

export function openTestStore(location: StoreLocation, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ location, now: Date.now, ...options });
}

export function newRun(stack: string, env: string): NewRun {
  return { stack, env, versions: { dagger: "0.1.0", cue: "0.15.0", buildkit: "0.32.2" }, request: {} };
}

export function log(text: string): NewLog {
  return { time: 1, component: "app.build", step: "sha256:1", stream: 1, data: Buffer.from(text) };
}

/** For assert.rejects: a UserError with this code, whose message and hint say something. */
export function code(wanted: string): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof UserError)) return false;
    const [{ code: found, message, hint } = { code: "", message: "", hint: "" }] = error.diagnostics;
    return found === wanted && message !== "" && hint !== undefined;
  };
}
