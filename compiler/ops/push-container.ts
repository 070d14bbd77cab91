// `push-container`: the filesystem as an image in a registry. Its digest becomes the value of a component that takes a string.
import type { Platform } from "../graph/vertex.ts";
import type { Attest } from "../job.ts";
import { attest } from "./attest.ts";
import { optional, required } from "./fields.ts";
import { given } from "./files.ts";
import { platform } from "./platform.ts";
import { reference } from "./reference.ts";
import type { OpSpec } from "./spec.ts";
import { duration, milliseconds } from "./supervision.ts";
import { listOf } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface PushContainerOp extends OpBase<"push-container"> {
  /** Normalised. */
  readonly ref: string;
  readonly platforms?: readonly Platform[];
  readonly attest?: Attest;
  /** Time for the push itself, e.g. `30m`. */
  readonly timeout?: string;
}

export const pushContainer: OpSpec<PushContainerOp> = {
  do: "push-container",
  fields: { ref: required(reference), platforms: optional(listOf(platform)), attest: optional(attest), timeout: optional(duration) },
  words: (op) => `push-container ${op.ref}`,
  check: (op, field, context) => {
    const at = (label: string): typeof field.at => field.value.fields.get(label)?.at ?? field.at;
    if (op.ref.includes("@")) {
      context.problem({
        code: "wrong-type",
        message: `Op push-container takes a name with a tag, got the digest of an image that is there already: ${op.ref}`,
        path: `${field.path}.ref`,
        at: at("ref"),
        hint: "Write a tag in place of the digest",
      });
    }
    if (op.platforms?.length === 0) {
      context.problem({
        code: "wrong-type",
        message: "Op push-container has an empty list of platforms",
        path: `${field.path}.platforms`,
        at: at("platforms"),
        hint: "Name one, or remove the field",
      });
    }
  },
  lower: (op, state, context) => {
    const { ref, platforms, attest = {}, timeout } = op;
    const limit = timeout === undefined ? undefined : milliseconds(timeout);
    context.outputImage(op, state, { target: { kind: "push", ref }, platforms, attest, ...given("timeout", limit) });
    return state;
  },
};
