// `image-config`: what a pushed or saved image says about its containers, beyond environment, directory and user.
import { optional } from "./fields.ts";
import { type Healthcheck, healthcheck, port } from "./image-config-fields.ts";
import type { OpSpec } from "./spec.ts";
import { listOf, mapOf, name, string } from "./types.ts";
import type { OpBase } from "./use.ts";

export interface ImageConfigOp extends OpBase<"image-config"> {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly labels?: readonly (readonly [name: string, value: string])[];
  /** e.g. `80/tcp`. */
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stopSignal?: string;
  readonly healthcheck?: Healthcheck;
}

export const imageConfig: OpSpec<ImageConfigOp> = {
  do: "image-config",
  fields: {
    entrypoint: optional(listOf(string)),
    cmd: optional(listOf(string)),
    labels: optional(mapOf(string)),
    ports: optional(listOf(port)),
    volumes: optional(listOf(name)),
    stopSignal: optional(name),
    healthcheck: optional(healthcheck),
  },
  words: () => "image-config",
  lower: (op, state) => ({ ...state, image: patched(state.image, op) }),
};

/** As a Dockerfile's instructions: labels, ports and volumes add to what is there; an entrypoint takes the command of the image below away. */
function patched(image: Readonly<Record<string, unknown>>, op: ImageConfigOp): Record<string, unknown> {
  const config: Record<string, unknown> = { ...image };
  if (op.entrypoint !== undefined) {
    config["Entrypoint"] = op.entrypoint;
    delete config["Cmd"];
  }
  if (op.cmd !== undefined) config["Cmd"] = op.cmd;
  if (op.labels !== undefined) config["Labels"] = { ...entries(image["Labels"]), ...Object.fromEntries(op.labels) };
  if (op.ports !== undefined) config["ExposedPorts"] = { ...entries(image["ExposedPorts"]), ...keys(op.ports) };
  if (op.volumes !== undefined) config["Volumes"] = { ...entries(image["Volumes"]), ...keys(op.volumes) };
  if (op.stopSignal !== undefined) config["StopSignal"] = op.stopSignal;
  if (op.healthcheck !== undefined) config["Healthcheck"] = op.healthcheck;
  return config;
}

function entries(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

/** OCI writes sets as objects with empty values. */
function keys(names: readonly string[]): Record<string, object> {
  return Object.fromEntries(names.map((each) => [each, {}]));
}
