// What there is to say of a build, and what a Control.Solve says of it but for the Definition.
import { SolveRequest } from "../../proto/gen/github.com/moby/buildkit/api/services/control/control.ts";
import type { Incoming, SessionServices } from "../session/index.ts";
import type { CacheEntry, CacheOptions } from "./cache.ts";
import type { SourcePolicy } from "./policy.ts";
import type { StatusUpdate } from "./status.ts";
import type { WatchOptions } from "./watch.ts";

export interface ExporterSpec {
  /** `local`, `image`, `oci`, … */
  readonly type: string;
  readonly attrs: Readonly<Record<string, string>>;
  /** Takes what it sends: needed for `tar`, and for `oci` and `docker` as archives; without it the session's `receiver` does. */
  readonly output?: Incoming;
  /** Directory (absolute) that `oci` or `docker` with `tar=false` fills: an OCI layout, whose other images stay. Of one exporter only. */
  readonly layout?: string;
}

/** Values of the `attest:` options, e.g. provenance `mode=max`, sbom `generator=IMAGE`; empty for the defaults. Images carry them. */
export interface Attestations {
  readonly provenance?: string;
  readonly sbom?: string;
}

export interface BuildOptions extends WatchOptions {
  readonly session: SessionServices;
  readonly exporters: readonly ExporterSpec[];
  /** e.g. `network.host`; what the Definition needs beyond the ordinary. */
  readonly entitlements?: readonly string[];
  readonly sourcePolicy?: SourcePolicy;
  readonly attestations?: Attestations;
  /** What the result is for, e.g. `linux/arm64`; the daemon warns of one for other platforms. By default its own. */
  readonly platforms?: readonly string[];
  /** Whether the daemon records the build in its own history. */
  readonly record: boolean;
  /** A cache to import that is not there. */
  onMissingCache?(dir: string, why: string): void;
  onStatus(update: StatusUpdate): void;
  readonly signal?: AbortSignal;
}

/** Encoded; the Definition may be appended as field 2. */
export function encodeRequest(ref: string, session: string, cache: Required<CacheOptions>, options: BuildOptions): Uint8Array {
  const { exporters, sourcePolicy, entitlements = [], record } = options;
  return SolveRequest.encode(
    SolveRequest.fromPartial({
      Ref: ref,
      Session: session,
      Cache: { Imports: cache.imports.map(toCache), Exports: cache.exports.map(toCache) },
      ...(sourcePolicy === undefined ? {} : { SourcePolicy: sourcePolicy.message }),
      FrontendAttrs: frontendAttrs(options),
      Entitlements: [...entitlements],
      Internal: !record,
      Exporters: exporters.map((e) => ({ Type: e.type, Attrs: { ...e.attrs } })),
      // Daemons before 0.13 know one exporter, in a field of its own.
      ExporterDeprecated: exporters[0]?.type ?? "",
      ExporterAttrsDeprecated: { ...exporters[0]?.attrs },
    }),
  ).finish();
}

function toCache({ type, attrs }: CacheEntry): { Type: string; Attrs: Record<string, string> } {
  return { Type: type, Attrs: { ...attrs } };
}

function frontendAttrs({ platforms = [], attestations: { provenance, sbom } = {} }: BuildOptions): Record<string, string> {
  return {
    ...(platforms.length === 0 ? {} : { platform: platforms.join(",") }),
    ...(provenance === undefined ? {} : { "attest:provenance": provenance }),
    ...(sbom === undefined ? {} : { "attest:sbom": sbom }),
  };
}
