// Where images come from: the image store of this machine first, else whatever the daemon can pull.
import { resolve } from "node:path";
import type { Frontends, ImageRequest, ImageResolver, Platform, Position, ResolvedImage } from "../compiler/index.ts";
import { imageAttrs, inputError, normalizeReference, ociLayoutAttrs, UserError } from "../compiler/index.ts";
import type { ImageStore, ImportOptions, LayoutImage, StoredImage } from "../runtime/images/index.ts";
import { imagesDir, openImageStore, readLayout } from "../runtime/images/index.ts";
import type { Surroundings } from "./request.ts";

/** Asks the daemon for the config of an image that is not on this machine. */
export type RemoteImages = (request: ImageRequest) => Promise<{ digest: string; config: Uint8Array }>;

/** Collects the layouts that the session has to serve while images are resolved. */
export interface LayoutServer {
  /** Serves an OCI layout; gives its name in `oci-layout://`. */
  serve(dir: string): string;
}

/** The compiler's image port, and the images of the store for its frontends. `pinned` gives the digest that a reference is to be taken by. */
export function imagePort(
  env: Surroundings["env"],
  layouts: LayoutServer,
  remote: RemoteImages,
  pinned: (ref: string, at: readonly Position[]) => string | undefined = () => undefined,
): ImageResolver & { readonly local: Frontends["localImages"] } {
  const store = openImageStore(imagesDir(env));
  const served = (image: LayoutImage): ResolvedImage => {
    const name = layouts.serve(image.layoutDir);
    return { identifier: `oci-layout://${name}/image@${image.digest}`, attrs: ociLayoutAttrs({ store: name }), config: image.config };
  };
  return {
    async image(request) {
      const stored = await store.resolve(request.ref, request.platform);
      if (stored !== undefined) return served(stored);
      const digest = pinned(request.ref, request.at);
      const ref = digest === undefined ? request.ref : `${request.ref}@${digest}`;
      const { config } = await located(request.at, () => remote({ ...request, ref }));
      return { identifier: `docker-image://${ref}`, attrs: imageAttrs({ resolveMode: request.resolveMode }), config };
    },
    async local(platform) {
      const same = formatted(platform);
      const fitting = (await store.list()).filter(({ platforms }) => platforms.some((one) => formatted(one) === same));
      const found = await Promise.all(fitting.map(async ({ ref }) => ({ ref, image: await store.resolve(ref, platform) })));
      return found.flatMap(({ ref, image }) => (image === undefined ? [] : [{ ref, image: served(image) }]));
    },
    async layout({ dir, tag, digest, platform, at }) {
      const which = { ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
      return served(await located(at, () => readLayout(dir, which, platform)));
    },
  };
}

function formatted({ os, architecture, variant = "" }: Platform): string {
  return `${os}/${architecture}/${variant}`;
}

/** An error about an image gets the line that asks for it. */
async function located<T>(at: readonly Position[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      error.exit,
      error.diagnostics.map((diagnostic) => (diagnostic.at.length > 0 ? diagnostic : { ...diagnostic, at })),
      { cause: error },
    );
  }
}

/** The image store of this user, by references as people write them (`debian:bookworm`). */
export function imageStore({ env, cwd }: Surroundings): UserImages {
  const store = openImageStore(imagesDir(env));
  return {
    import: (ref, source, options) => store.import(normalized(ref), resolve(cwd, source), options),
    list: () => store.list(),
    remove: (ref) => store.remove(normalized(ref)),
  };
}

function normalized(ref: string): string {
  const reference = normalizeReference(ref);
  if (reference.ok) return reference.reference;
  throw inputError({
    code: "bad-reference",
    message: `Cannot read the image reference ${JSON.stringify(ref)}: ${reference.problem}`,
    at: [],
    hint: "Write for example debian:bookworm",
  });
}

export interface UserImages {
  /** Adds a root directory, a docker or OCI archive, or an OCI layout, in place of an image with the same reference. */
  import(ref: string, source: string, options?: ImportOptions): ReturnType<ImageStore["import"]>;
  list(): Promise<readonly StoredImage[]>;
  remove(ref: string): Promise<void>;
}
