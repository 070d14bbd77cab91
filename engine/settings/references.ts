// References to what other environments give: how they are written, and what is told when there is nothing there.
import type { Diagnostic } from "../../compiler/index.ts";

/** `network/production.vpc.id`: the value at a path of what an environment gave last. */
export interface OutputReference {
  /** Slug. */
  readonly stack: string;
  /** Slug; without it the environment that is called as the one that asks, or the only one. */
  readonly environment?: string;
  /** CUE path. */
  readonly path: string;
}

/** What was found for a reference. */
export interface GivenOutput {
  /** Not there when no environment is meant. */
  readonly environment?: string;
  /** Not there when nothing was given yet. */
  readonly json?: string;
  /** Run that gave it, and digest of the value. */
  readonly run?: string;
  readonly fingerprint?: string;
  /** Why there is no value; what to do. */
  readonly missing?: string;
  readonly hint?: string;
}

/** Undefined for a text that is no reference. */
export function parseReference(text: string): OutputReference | undefined {
  const [, stack = "", environment, path = ""] = /^([a-z0-9][a-z0-9-]*)(?:\/([a-z0-9][a-z0-9-]*))?\.(.+)$/.exec(text.trim()) ?? [];
  return path === "" ? undefined : { stack, ...(environment === undefined ? {} : { environment }), path };
}

export function formatReference({ stack, environment, path }: OutputReference): string {
  return `${stack}${environment === undefined ? "" : `/${environment}`}.${path}`;
}

/** Where the value would come from, as `STACK/ENV`. */
export function ownerOf({ stack, environment, given }: OutputReference & { readonly given?: GivenOutput }): string {
  const owner = given?.environment ?? environment;
  return owner === undefined ? stack : `${stack}/${owner}`;
}

export function missingOutput(input: string, reference: OutputReference & { readonly given?: GivenOutput }): Diagnostic {
  const { given, path } = reference;
  return {
    code: "missing-output",
    message: given?.missing ?? `${ownerOf(reference)} has given no ${path} yet`,
    path: input,
    at: [],
    hint: given?.hint ?? `Run it first, or give a value for now: -i ${input}=VALUE`,
  };
}
