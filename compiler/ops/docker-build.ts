// `docker-build`: what a Dockerfile builds. The daemon's own Dockerfile frontend is asked for its graph, which becomes part of ours.
import { askDockerfile } from "./docker-build-ask.ts";
import type { DockerBuildOp } from "./docker-build-op.ts";
import { optional, standard, wrongType } from "./fields.ts";
import { from } from "./from.ts";
import { platform } from "./platform.ts";
import type { FieldType, OpSpec } from "./spec.ts";
import { listOf, mapOf, name, string } from "./types.ts";
import type { From } from "./use.ts";

const namedContext: FieldType<From | string> = {
  words: `${from.words}, or an address such as "docker-image://alpine"`,
  read: (field, context) => {
    if (typeof field.value.scalar !== "string" || field.value.fields.has("#up")) return from.read(field, context);
    const address = field.value.scalar;
    // What lies on the client is no address: it comes through ops, which check that it is in the workspace.
    return /^(docker-image|https?|git):\/\/./.test(address) ? address : wrongType(field, namedContext.words, context);
  },
};

export const dockerBuild: OpSpec<DockerBuildOp> = {
  do: "docker-build",
  fields: {
    context: optional(from),
    dockerfile: optional(name),
    dockerfilePath: optional(name),
    target: optional(name),
    buildArg: standard(mapOf(string), []),
    label: standard(mapOf(string), []),
    platforms: optional(listOf(platform)),
    hosts: standard(mapOf(name), []),
    secrets: standard(listOf(name), []),
    ssh: standard(listOf(name), []),
    contexts: standard(mapOf(namedContext), []),
  },
  words: (op) =>
    `docker-build${op.dockerfilePath === undefined ? "" : ` ${op.dockerfilePath}`}${op.target === undefined ? "" : ` ${op.target}`}`,
  check: (op, field, context) => {
    const problem = (label: string, message: string, hint: string): void =>
      context.problem({ code: "wrong-type", message, path: field.path, at: field.value.fields.get(label)?.at ?? field.at, hint });
    if (op.context === undefined && op.dockerfile === undefined) {
      problem("do", "Op docker-build has neither a context nor a dockerfile", "Give context: a component, a list of ops, or one op");
    }
    if (op.dockerfile !== undefined && op.dockerfilePath !== undefined) {
      problem("dockerfilePath", "Op docker-build takes dockerfile or dockerfilePath, got both", "Remove one of them");
    }
    if (op.platforms?.length === 0) problem("platforms", "Op docker-build has an empty list of platforms", "Name one, or remove the field");
  },
  lower: (op, _state, context) => askDockerfile(op, context, dockerBuild.words(op)),
};
