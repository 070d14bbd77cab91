// The shape of the op files in this folder: validate a vertex, name its inputs, encode it. One OpCodec per kind of vertex.
import type { Input, Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { inputError, type UserError } from "../diagnostic.ts";
import type { Output, Platform, Ref, Vertex, VertexMeta } from "../graph/vertex.ts";

/** What marshalling needs to know beyond the graph. */
export interface MarshalOptions {
  /** Of vertices that name none: the platform that the daemon builds for by default. */
  readonly platform: Platform;
  /**
   * Written to local sources as `local.unique`: a fresh one per job keeps the daemon from taking the directories of two concurrent jobs
   * for one; a fixed one makes printed output repeatable. It is no part of any cache key.
   */
  readonly localUniqueId: string;
  /** LLB capabilities of the daemon. When known and without `exec.meta.setsdefaultpath`, execs without PATH get the default one. */
  readonly caps?: ReadonlySet<string>;
  /**
   * Whatever uses the result of a vertex that ignores the cache ignores it too. Without this the daemon runs such a vertex again, but
   * still takes what follows it from the cache, where the result of an earlier run lies under the same key. client/llb does not do this.
   */
  readonly ignoreCacheDownstream?: boolean;
  /** What every op carries that does not say otherwise. */
  readonly defaults?: OpDefaults;
}

/** For all ops of a Definition, except those made elsewhere: an op's own words win, worker filters and descriptions are added up. */
export interface OpDefaults extends Pick<VertexMeta, "ignoreCache" | "exportCache" | "description" | "group" | "resources"> {
  readonly workerFilters?: readonly string[];
}

export interface Context {
  readonly options: MarshalOptions;
  /** Digest of an input; inputs are always encoded before the vertex that uses them. */
  digest(vertex: Vertex): string;
}

/** An op before it becomes bytes: the parts of pb.Op that differ between kinds, and the capabilities it needs. */
export interface Encoding {
  readonly op: NonNullable<Op["op"]>;
  readonly inputs: Input[];
  /** Only ops that depend on the platform have one. */
  readonly platform?: Platform;
  readonly caps: readonly string[];
  /** The whole op, when it was encoded elsewhere; the other fields then say the same. */
  readonly bytes?: Uint8Array;
}

export interface OpCodec<V extends Vertex> {
  /** What would make the op unusable, in words that end the sentence `Cannot encode …: `; undefined when it is fine. */
  validate(vertex: V): string | undefined;
  /** In the order in which client/llb walks them: it decides the order of ops in the Definition. */
  inputs(vertex: V): readonly Ref[];
  encode(vertex: V, context: Context): Encoding;
}

/** Position of scratch in place of an input, and of an output that nobody can use. */
export const NONE = -1n;

/** The inputs of one op: each pair of digest and index once. */
export class InputList {
  readonly list: Input[] = [];
  readonly #index = new Map<string, number>();
  readonly #context: Context;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Position of `ref` among the inputs, added if new; NONE for scratch. */
  add(ref: Ref): bigint {
    if (ref === null) return NONE;
    const input = toInput(ref, this.#context);
    const key = `${input.digest}:${input.index}`;
    const known = this.#index.get(key);
    if (known !== undefined) return BigInt(known);
    this.#index.set(key, this.list.length);
    return BigInt(this.list.push(input) - 1);
  }
}

export function toInput(output: Output, context: Context): Input {
  return { digest: context.digest(output.vertex), index: BigInt(output.index) };
}

/** A vertex that no op can say. The ops of the compiler check their fields before, so this speaks to who builds graphs by hand. */
export function vertexError(vertex: Vertex, problem: string): UserError {
  const { name, component, at } = vertex.meta;
  return inputError({
    code: "llb-invalid",
    message: `Cannot encode ${vertex.kind} "${name}": ${problem}`,
    at,
    ...(component === "" ? {} : { path: component }),
  });
}
