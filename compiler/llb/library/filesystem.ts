// What a state stands for: an output of a vertex, and the values that later commands start from.
import type { Platform, Ref } from "../../graph/vertex.ts";
import { normalizePlatform } from "../platform.ts";
import { Env } from "./env.ts";
import type { Lazy } from "./lazy.ts";

export type NetworkMode = "sandbox" | "host" | "none";
export type SecurityMode = "sandbox" | "insecure";

export interface Ulimit {
  /** As in `ulimit`'s manual: core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack. */
  readonly name: string;
  /** -1 is no limit. */
  readonly soft: number;
  readonly hard: number;
}

export interface ExtraHost {
  readonly host: string;
  readonly ip: string;
}

/** What commands and file actions inherit from the state they start from. */
export interface Values {
  readonly env: Env;
  /** Absolute. */
  readonly dir: string;
  /** "" is the daemon's default: root. */
  readonly user: string;
  readonly hostname: string;
  /** undefined: the one that the Definition is for. */
  readonly platform?: Platform;
  readonly network: NetworkMode;
  readonly security: SecurityMode;
  readonly cgroupParent: string;
  readonly extraHosts: readonly ExtraHost[];
  readonly ulimits: readonly Ulimit[];
}

/** A filesystem once everything about it is known. */
export interface Made {
  readonly out: Ref;
  /** The platform that the vertex itself was asked for. */
  readonly platform?: Platform;
  readonly values: Values;
}

const PLAIN: Values = {
  env: Env.EMPTY,
  dir: "/",
  user: "",
  hostname: "",
  network: "sandbox",
  security: "sandbox",
  cgroupParent: "",
  extraHosts: [],
  ulimits: [],
};

/** A filesystem that inherits nothing. */
export function fresh(out: Ref, platform?: Platform): Made {
  return withOutput({ out: null, values: PLAIN }, out, platform);
}

/** `made` with another filesystem, which brings its platform if it was asked for one. */
export function withOutput({ values }: Made, out: Ref, platform?: Platform): Made {
  if (platform === undefined) return { out, values };
  return { out, platform, values: { ...values, platform: normalizePlatform(platform) } };
}

export let madeOf: (files: Filesystem) => Lazy<Made>;

/** A filesystem in a graph: what copies and mounts take files from. Only states are. */
export abstract class Filesystem {
  readonly #made: Lazy<Made>;

  static {
    madeOf = (files) => files.#made;
  }

  constructor(made: Lazy<Made>) {
    this.#made = made;
  }
}
