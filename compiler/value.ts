// Value: what CUE evaluation hands to the compiler. Plain readonly data; made by runtime/cue, read by compiler/ops.
import type { Diagnostic, Position } from "./diagnostic.ts";

export type Kind = "null" | "bool" | "int" | "number" | "string" | "bytes" | "list" | "struct" | "incomplete" | "error";

/** One CUE value. A value used in a hundred places is one object: compare by identity. */
export interface Value {
  /**
   * Where the value is declared, e.g. `app.#up[0]`. What is declared outside of the config's data goes by the first place there that refers
   * to it; without such a place a value of another package starts with its import path in quotes.
   */
  readonly path: string;
  /** Where it is declared, when `path` is only a place that refers to it, and there may be more of them. */
  readonly origin?: string;
  readonly kind: Kind;
  /** null, bool, int (bigint when it is beyond 2^53), number, string, bytes; undefined for the other kinds. */
  readonly scalar?: null | boolean | number | bigint | string | Uint8Array;
  /** Fields by label as CUE writes it (`name`, `#up`, `_hidden`), in declaration order. A scalar may carry definitions too. */
  readonly fields: ReadonlyMap<string, Field>;
  /** Elements of a list. */
  readonly items: readonly Field[];
  /** incomplete: the constraint so far as CUE text, e.g. `string` or `>0 & int`. */
  readonly type?: string;
  /** incomplete: the values without which this one cannot become concrete; never empty when they could be found. */
  readonly missing?: readonly Missing[];
  /**
   * error: what is wrong (kind "error" only appears below values that the job does not need concrete). incomplete: a field that it refers
   * to is not there, and may still come when the value waits for others.
   */
  readonly errors?: readonly Diagnostic[];
}

/** One use of a value: under a label of a struct, or as an element of a list. */
export interface Field {
  readonly label: string;
  /** Path of this use; differs from `value.path` when the field is written as a reference. */
  readonly path: string;
  readonly value: Value;
  /** Places that declare it, the user's own files before library files. */
  readonly at: readonly Position[];
  readonly doc: string;
  readonly attributes: readonly Attribute[];
}

/** `@name(body)` on a field. */
export interface Attribute {
  readonly name: string;
  readonly body: string;
}

/** A reference that is not concrete yet. */
export interface Missing {
  readonly path: string;
  readonly at: readonly Position[];
  /** Its constraint as CUE text, e.g. `string`. */
  readonly type: string;
}
