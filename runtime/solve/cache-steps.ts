// The daemon's steps that talk to caches elsewhere: how they are known, what failed in them, and how a cache is called in front of people.
import { Code, type RpcError } from "../grpc/status.ts";
import type { CacheEntry, CacheOptions } from "./cache.ts";
import { readFailure, SolveError } from "./errors.ts";
import type { StatusUpdate } from "./status.ts";

/** A cache that was not taken (the build goes on without), or not left although that was wanted. */
export interface CacheFailure {
  readonly use: "import" | "export";
  /** As people know it, e.g. `the s3 bucket builds`; without credentials. */
  readonly cache: string;
  /** The daemon's words. */
  readonly reason: string;
}

export interface CacheStep {
  readonly use: CacheFailure["use"];
  readonly cache: string;
}

const importing = "importing cache manifest from ";
/** What the daemon's exporters call themselves. */
const exporters: Readonly<Record<string, string>> = {
  "exporting cache to registry": "registry",
  "exporting cache to client directory": "local",
  "exporting cache to Amazon S3": "s3",
  "exporting cache to Azure Blob Storage": "azblob",
  "exporting to GitHub Actions Cache": "gha",
};

/** What a step of the daemon does with caches elsewhere; of several of one kind it is not known which. */
export function cacheStep(name: string, { imports = [], exports = [] }: CacheOptions): CacheStep | undefined {
  const type = exporters[name];
  if (type !== undefined) return { use: "export", cache: callAll(type, exports) };
  if (!name.startsWith(importing)) return undefined;
  // A reference of a registry; of stores, a number that the daemon makes of all attributes, also of secret ones.
  const from = name.slice(importing.length);
  if (imports.some(({ attrs }) => attrs["ref"] === from)) return { use: "import", cache: from };
  return { use: "import", cache: callAll(from.replace(/:\d+$/, ""), imports) };
}

/** What became of the caches of one build. */
export class CacheFailures {
  readonly #cache: CacheOptions;
  readonly #tell: (failure: CacheFailure) => void;
  readonly #told = new Set<string>();
  readonly #exports: CacheFailure[] = [];

  /** `tell` hears at once of caches that are not taken. */
  constructor(cache: CacheOptions, tell: (failure: CacheFailure) => void) {
    this.#cache = cache;
    this.#tell = tell;
  }

  see({ vertexes }: StatusUpdate): void {
    for (const { digest, name, error } of vertexes) {
      if (error === "" || error.endsWith("context canceled") || this.#told.has(digest)) continue;
      const step = cacheStep(name, this.#cache);
      if (step === undefined) continue;
      this.#told.add(digest);
      const failure = { ...step, reason: error };
      if (step.use === "export") this.#exports.push(failure);
      else this.#tell({ ...failure, reason: readableReason(error) });
    }
  }

  /** The build has succeeded: what could not be left was to be ignored. */
  succeeded(): void {
    for (const failure of this.#exports) this.#tell({ ...failure, reason: readableReason(failure.reason) });
  }

  /** Exit 1 `cache-export-failed`, when it is a cache that the build has failed for. */
  explain(error: RpcError): SolveError | undefined {
    const type = refusedExport(error);
    const failed =
      type === undefined
        ? this.#exports.find(({ reason }) => error.message.includes(reason))
        : { cache: callAll(type, this.#cache.exports ?? []), reason: error.message };
    if (failed === undefined) return undefined;
    const message = `Cannot leave cache in ${failed.cache}: ${readableReason(failed.reason)}`;
    const hint = "Check its attributes and credentials, and whether the daemon reaches it; ignore-error=true runs without it";
    return new SolveError(1, { code: "cache-export-failed", message, at: [], hint }, readFailure(error), error);
  }

  /** The exports without those that the daemon refused to begin with, and that are to be ignored then; undefined when the error is to stand. */
  withoutRefused(error: RpcError, exports: readonly CacheEntry[]): readonly CacheEntry[] | undefined {
    const type = refusedExport(error);
    const refused = exports.filter((entry) => entry.type === type);
    if (type === undefined || refused.length === 0 || !refused.every(({ attrs }) => isTrue(attrs["ignore-error"]))) return undefined;
    this.#tell({ use: "export", cache: callAll(type, refused), reason: readableReason(error.message) });
    return exports.filter((entry) => entry.type !== type);
  }
}

/** A store that the daemon asks before it takes the build at all, when it cannot be used. */
function refusedExport({ code, message }: RpcError): string | undefined {
  return code === Code.canceled ? undefined : /^failed to configure (\w+) cache exporter: /.exec(message)?.[1];
}

/** As clients of Go read it. */
function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(1|t|true)$/i.test(text);
}

/** On one line, without what all have in common; Azure's clients add the whole answer. */
export function readableReason(reason: string): string {
  return reason
    .replace(/^failed to configure \w+ cache (importer|exporter): /, "")
    .replace(/\n-{9,}\n(RESPONSE [^\n]*)\nERROR CODE: ([^\n]*)\n.*$/s, ": $1 ($2)")
    .replace(/\s*\n\s*/g, " ");
}

function callAll(type: string, entries: readonly CacheEntry[]): string {
  const names = entries.filter((entry) => entry.type === type).map(call);
  return names.length === 0 ? type : [...new Set(names)].join(" or ");
}

/** Only attributes that are no credentials. */
function call({ type, attrs }: CacheEntry): string {
  switch (type) {
    case "s3":
      return `the s3 bucket ${attrs["bucket"] ?? "of the daemon"}`;
    case "azblob":
      return `the azblob container ${attrs["container"] ?? "buildkit-cache"}`;
    case "gha":
      return `the gha scope ${attrs["scope"] ?? "buildkit"}`;
    default:
      return attrs["ref"] ?? attrs["dest"] ?? attrs["src"] ?? type;
  }
}
