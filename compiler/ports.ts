// What the compiler asks of the world while it compiles, and the answers: images, Dockerfiles, files that a frontend wants.
import type { Position } from "./diagnostic.ts";
import type { Platform } from "./graph/vertex.ts";
import type { Definition, LocalSource } from "./job.ts";

/** What the compiler has to ask the world while it compiles. The engine plugs these in. */
export interface Ports {
  readonly images: ImageResolver;
  /** Left out where no daemon may be asked. */
  readonly frontends?: Frontends;
}

/** The daemon's Dockerfile frontend. All throw UserError, also when the daemon cannot make one of the filesystems that they are given. */
export interface Frontends {
  /** Makes directories of the client known that the filesystems of later calls come from. Throws UserError when one cannot be used. */
  serve(locals: readonly LocalSource[]): Promise<void>;
  /** Asks for the Definition of a Dockerfile; nothing of it is computed. */
  dockerfile(request: DockerfileRequest): Promise<FrontendAnswer>;
  /** Computes a filesystem and reads the first of these files that it has; undefined when it has none. */
  readFirst(definition: Definition, paths: readonly string[]): Promise<Uint8Array | undefined>;
  /** Images of this machine for a platform: a Dockerfile may name them in FROM, where the daemon looks in registries only. */
  localImages(platform: Platform): Promise<readonly LocalImage[]>;
}

export interface LocalImage {
  /** Normalised reference. */
  readonly ref: string;
  readonly image: ResolvedImage;
}

export interface DockerfileRequest {
  /** Attributes of the frontend, e.g. `target`, `build-arg:NAME`. */
  readonly options: Readonly<Record<string, string>>;
  /** `context`, `dockerfile`, and named contexts. */
  readonly inputs: Readonly<Record<string, Definition>>;
  /** What the Dockerfile is called for people. */
  readonly file: string;
  /** CUE path of the op. */
  readonly path: string;
  readonly at: readonly Position[];
}

export interface FrontendAnswer {
  /** An encoded pb.Definition. */
  readonly definition: Uint8Array;
  /** OCI image config as JSON. */
  readonly config: Uint8Array;
}

export interface ImageRequest {
  /** Normalised reference, e.g. `docker.io/library/debian:bookworm`. */
  readonly ref: string;
  readonly platform: Platform;
  readonly resolveMode: "default" | "pull" | "local";
  readonly at: readonly Position[];
}

/** Where an image comes from, and its OCI image config as JSON bytes (env, workdir, user, entrypoint, platform). */
export interface ResolvedImage {
  readonly identifier: string;
  readonly attrs: Readonly<Record<string, string>>;
  readonly config: Uint8Array;
}

/** Throws UserError (exit 1) with code `image-not-found` when there is no such image. */
export interface ImageResolver {
  image(request: ImageRequest): Promise<ResolvedImage>;
  /** An OCI layout directory on the client; `dir` is absolute. */
  layout(request: { dir: string; tag?: string; digest?: string; platform: Platform; at: readonly Position[] }): Promise<ResolvedImage>;
}
