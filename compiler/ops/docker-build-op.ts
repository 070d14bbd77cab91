// The data of a docker-build op: between reading it (docker-build.ts) and lowering it (docker-build-ask.ts).
import type { Platform } from "../graph/vertex.ts";
import type { From, OpBase } from "./use.ts";

export interface DockerBuildOp extends OpBase<"docker-build"> {
  readonly context?: From;
  /** The Dockerfile's text. */
  readonly dockerfile?: string;
  /** Where it lies in the context otherwise. */
  readonly dockerfilePath?: string;
  readonly target?: string;
  readonly buildArg: readonly (readonly [name: string, value: string])[];
  readonly label: readonly (readonly [name: string, value: string])[];
  readonly platforms?: readonly Platform[];
  readonly hosts: readonly (readonly [host: string, ip: string])[];
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  /** Further contexts by the name that FROM and COPY --from use: a filesystem, or an address such as `docker-image://alpine`. */
  readonly contexts: readonly (readonly [name: string, context: From | string])[];
}
