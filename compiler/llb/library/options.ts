// What every op can be told, whatever it does, and how a user's words become fields of vertices.
import { inputError, type UserError } from "../../diagnostic.ts";
import type { Chown, Platform, ProgressGroup, Resources, SourceFile, SourceLocation, VertexMeta } from "../../graph/vertex.ts";
import { parseOwner } from "../owner.ts";
import { parsePlatform } from "../platform.ts";

/** None of these changes what the op does or its cache key, except `platform` and `require`. */
export interface OpOptions {
  /** Shown in progress in place of the op. */
  readonly name?: string;
  /** Further texts for the daemon; `llb.customname` is `name`. */
  readonly description?: Readonly<Record<string, string>>;
  /** Run it even when the cache has its result. */
  readonly ignoreCache?: boolean;
  /** Whether an exported cache holds its result; undefined leaves that to the export's mode. */
  readonly exportCache?: boolean;
  /** Members of a group are one line in progress. */
  readonly group?: ProgressGroup;
  /** Limits of a command's cgroup. */
  readonly resources?: Resources;
  /** containerd filters that a worker must match. */
  readonly require?: readonly string[];
  /** Lines that the op comes from: a failed solve names them. `sourceFile` makes them. */
  readonly locations?: readonly SourceLocation[];
  /** As it is written: only platforms of states are normalised. `os/architecture[/variant]` as a string. */
  readonly platform?: Platform | string;
}

/** The part of a vertex that says `options`; a platform is the caller's matter. */
export function toBase(options: OpOptions): { meta: VertexMeta; workerFilters?: readonly string[] } {
  const { name = "", description, ignoreCache, exportCache, group, resources, require, locations } = options;
  const meta: VertexMeta = {
    name,
    component: "",
    at: [],
    ...(description === undefined ? {} : { description }),
    ...(ignoreCache === undefined ? {} : { ignoreCache }),
    ...(exportCache === undefined ? {} : { exportCache }),
    ...(group === undefined ? {} : { group }),
    ...(resources === undefined ? {} : { resources }),
    ...(locations === undefined ? {} : { locations }),
  };
  return { meta, ...(require === undefined ? {} : { workerFilters: require }) };
}

/** The platform that was asked for, as a field to spread. */
export function platformField(platform: Platform | string | undefined): { platform?: Platform } {
  return platform === undefined ? {} : { platform: toPlatform(platform) };
}

/** Throws UserError `llb-invalid` for a text that is no complete platform. */
export function toPlatform(platform: Platform | string): Platform {
  if (typeof platform !== "string") return platform;
  const parsed = platform.includes("/") ? parsePlatform(platform, { os: "", architecture: "" }) : undefined;
  if (parsed === undefined) throw invalid(`Unknown platform ${JSON.stringify(platform)}: write it as os/architecture[/variant]`);
  return parsed;
}

/** `user[:group]`, each a name or a number. */
export function toChown(owner: string | Chown | undefined): { chown?: Chown } {
  if (owner === undefined) return {};
  return { chown: typeof owner === "string" ? parseOwner(owner) : owner };
}

/** Nanoseconds since 1970. */
export function toTimestamp(time: Date | bigint | undefined): { timestamp?: bigint } {
  if (time === undefined) return {};
  return { timestamp: typeof time === "bigint" ? time : BigInt(time.getTime()) * 1_000_000n };
}

/** What a user of the library wrote cannot be said in LLB. */
export function invalid(message: string, hint?: string): UserError {
  return inputError({ code: "llb-invalid", message, at: [], ...(hint === undefined ? {} : { hint }) });
}

/** A file that ops come from. `lines` gives the location for `OpOptions.locations`. */
export class SourceText implements SourceFile {
  readonly filename: string;
  readonly language: string;
  readonly data?: Uint8Array;

  constructor(filename: string, language: string, data: Uint8Array | undefined) {
    this.filename = filename;
    this.language = language;
    if (data !== undefined) this.data = data;
  }

  /** From the start of line `first` to the start of line `last`; lines count from 1. */
  lines(first: number, last: number = first): SourceLocation {
    return { file: this, ranges: [{ start: { line: first, character: 0 }, end: { line: last, character: 0 } }] };
  }
}

/**
 * A file that a graph is made from. Give `data` only for small files: the daemon sends all of it back inside the error of a failed solve,
 * where Node can receive 64 KiB at most.
 */
export function sourceFile(filename: string, options: { language?: string; data?: Uint8Array | string } = {}): SourceText {
  const { language = "", data } = options;
  return new SourceText(filename, language, typeof data === "string" ? new TextEncoder().encode(data) : data);
}
