// The host steps of a run, beside its passes. A run without any loads nothing of them.
import { type HostStep, type Job, UserError } from "../../compiler/index.ts";
import type { HostSteps } from "../hosts/index.ts";
import { scopeOf } from "../secrets/provider.ts";
import { rootOf } from "../workspace/find.ts";
import type { Kept } from "./keep-going.ts";
import type { RunParts } from "./parts.ts";

export class Hosts {
  readonly #parts: RunParts;
  #steps: HostSteps | undefined;

  constructor(parts: RunParts) {
    this.#parts = parts;
  }

  dirOf(key: string): string | undefined {
    return this.#steps?.dirOf(key);
  }

  /** Directories that may be uploaded, though they lie outside of the workspace. */
  get dirs(): readonly string[] {
    return this.#steps?.dirs ?? [];
  }

  /** Those that can run now, and have not. */
  fresh({ hosts }: Job): readonly HostStep[] {
    return this.#steps?.fresh(hosts) ?? hosts;
  }

  /** Throws UserError (2) `host-not-allowed` when the user has not agreed to all of them. */
  async requireConsent({ onHost }: Job): Promise<void> {
    if (onHost.length === 0) return;
    const { request } = this.#parts;
    const { requireConsent } = await import("../hosts/index.ts");
    await requireConsent(onHost, { ...scopeOf(request), root: rootOf(request) });
  }

  /** Runs the steps, and meanwhile what else the pass can compute; `work` is ended when one fails, and they are when it does. */
  async beside<T>(steps: readonly HostStep[], work: () => Promise<T>, kept: Kept | undefined): Promise<T> {
    if (steps.length === 0) return work();
    if (this.#steps === undefined) {
      const { HostSteps } = await import("../hosts/index.ts");
      this.#steps = new HostSteps(this.#parts);
    }
    const { exports, opening, request } = this.#parts;
    const keep = kept && ((step: HostStep, error: UserError) => kept.refuse(new Map([[step.component, error]])));
    const running = this.#steps.run(steps, keep);
    const working = work();
    try {
      const [done] = await Promise.all([working, running]);
      return done;
    } catch (error) {
      this.#steps.cancel();
      exports.cancel();
      await (await opening).build.abort();
      await Promise.allSettled([working, running]);
      if (request.signal.aborted) throw new UserError(130, [{ code: "interrupted", message: "Interrupted", at: [] }]);
      throw error;
    }
  }

  /** Ends what runs, and removes what was left. */
  close(): void {
    this.#steps?.close();
  }
}
