// What the names that a run takes stood for: images that the daemon was asked for, and, for whoever remembers the run, git refs and addresses.
import type { Job } from "../../compiler/index.ts";
import type { OpenBuild } from "../build/connect.ts";
import { type OpenSource, openSources } from "../provenance/sources.ts";

export class Names {
  /** Digests of images, by reference. */
  readonly images: Map<string, string> = new Map();
  /** Commits and checksums, by identifiers in LLB; empty as long as they are not known. */
  readonly resolved: Map<string, string> = new Map();

  /** Asks the daemon, beside the solve, what the git refs and addresses of a job are. Never throws. */
  ask(job: Job, opening: Promise<OpenBuild>): void {
    for (const source of openSources(job)) void this.#ask(source, opening);
  }

  /** The daemon asks the other side once for this and for the solve. What it cannot tell is not known. */
  async #ask(source: OpenSource, opening: Promise<OpenBuild>): Promise<void> {
    if (this.resolved.has(source.identifier)) return;
    this.resolved.set(source.identifier, "");
    try {
      const { build } = await opening;
      const { git, http } = await build.gateway((gateway) => gateway.resolveSourceMeta(source));
      this.resolved.set(source.identifier, (git === undefined ? http?.checksum : git.commitChecksum || git.checksum) ?? "");
    } catch {
      // The solve says what is wrong with it.
    }
  }
}
