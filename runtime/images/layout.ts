// Finds an image in an OCI layout: by tag or digest, for a platform.
import { inputError } from "../../compiler/diagnostic.ts";
import { blobPath, checkDigest } from "./blobs.ts";
import { type Content, directoryContent, documentObject, statOf } from "./content.ts";
import { broken, type Descriptor, isIndex, type Manifest, parseObject, readConfig, readIndex, readManifest, refName } from "./oci.ts";
import { bestMatch, normalize, type Platform, platformName } from "./platform.ts";

/** One image for one platform, in an OCI layout directory. */
export interface LayoutImage {
  /** Absolute path of the layout, to be served through the session. */
  readonly layoutDir: string;
  /** Digest of the manifest for that platform. */
  readonly digest: string;
  readonly platform: Platform;
  /** The OCI image config as it lies there (JSON). */
  readonly config: Uint8Array;
}

/** One manifest of an image, with the platform that its index or its config says. */
export interface PlatformManifest {
  readonly platform: Platform;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

// Nested deeper than this, an index is not an image.
const deepest = 4;
const dockerName = "io.containerd.image.name";

/**
 * The image with this tag or digest in an OCI layout directory; without both, the only one there is. Throws UserError (2)
 * when the directory is no layout, has no such image, none for the platform, or is damaged.
 */
export async function readLayout(
  dir: string,
  which: { readonly tag?: string; readonly digest?: string },
  platform: Platform,
): Promise<LayoutImage> {
  const found = statOf(dir);
  if (found === undefined || !found.isDirectory()) {
    const message = `${dir} is not a directory, so it is not an OCI layout`;
    throw inputError({ code: "layout-missing", message, at: [] });
  }
  const content = directoryContent(dir);
  const what = `${dir}/index.json`;
  const { manifests } = readIndex(parseObject(await content.index(), what), what);
  return imageOf(content, dir, chooseIn(dir, manifests, which), platform, which.tag ?? which.digest ?? dir);
}

/** The image that a descriptor points to, for a platform. `name` is for errors. */
export async function imageOf(content: Content, dir: string, root: Descriptor, platform: Platform, name: string): Promise<LayoutImage> {
  const manifests = await platformManifests(content, root);
  const best = bestMatch(manifests, platform);
  if (best === undefined) {
    const has = manifests.map((entry) => platformName(entry.platform)).join(", ");
    throw inputError({
      code: "image-platform",
      message: `${name} has no image for ${platformName(normalize(platform))}: it has ${has === "" ? "none at all" : has}`,
      at: [],
      hint: "Ask for one of those platforms, or import the image for this one",
    });
  }
  const { manifest, descriptor } = best;
  for (const layer of manifest.layers) {
    const size = statOf(blobPath(dir, layer.digest))?.size;
    if (size !== layer.size) throw broken(dir, `the layer ${layer.digest} of ${name} is ${size === undefined ? "missing" : "cut short"}`);
  }
  return { layoutDir: dir, digest: descriptor.digest, platform: best.platform, config: await content.document(manifest.config) };
}

/** Every manifest below a descriptor whose documents are there: an index may name platforms that were not fetched. */
export async function platformManifests(content: Content, root: Descriptor, depth = 0): Promise<readonly PlatformManifest[]> {
  if (depth > deepest) throw broken(content.name, "its indexes are nested too deep");
  const what = `${root.digest} in ${content.name}`;
  const document = await documentObject(content, root);
  if (isIndex(document)) {
    const found: PlatformManifest[] = [];
    for (const child of readIndex(document, what).manifests) {
      if (await content.has(child.digest)) found.push(...(await platformManifests(content, child, depth + 1)));
    }
    return found;
  }
  // An attestation is a manifest for the platform "unknown"; what is no image has no image config.
  if (root.platform?.os === "unknown") return [];
  const manifest = readManifest(document, what);
  const platform =
    root.platform ?? readConfig(await documentObject(content, manifest.config), `${manifest.config.digest} in ${content.name}`).platform;
  return [{ platform: normalize(platform), descriptor: root, manifest }];
}

/** The names that a descriptor in index.json goes by. */
export function namesOf({ annotations = {} }: Descriptor): readonly string[] {
  return [annotations[refName], annotations[dockerName]].filter((name) => name !== undefined);
}

function chooseIn(
  dir: string,
  manifests: readonly Descriptor[],
  { tag, digest }: { readonly tag?: string; readonly digest?: string },
): Descriptor {
  const names = manifests.flatMap(namesOf);
  const list = names.length === 0 ? "" : `: it has ${names.join(", ")}`;
  if (digest !== undefined) {
    const listed = manifests.find((entry) => entry.digest === checkDigest(digest));
    // A digest may be below an index, so it need not be listed.
    return listed ?? { mediaType: "", digest: checkDigest(digest), size: 0 };
  }
  if (tag !== undefined) {
    const tagged = manifests.find((entry) => namesOf(entry).some((name) => name === tag || name.endsWith(`:${tag}`)));
    if (tagged !== undefined) return tagged;
    throw inputError({ code: "layout-tag", message: `${dir} has no image with the tag ${tag}${list}`, at: [] });
  }
  const [only, second] = manifests;
  if (only === undefined) throw broken(dir, "there is no image in it");
  if (second !== undefined) {
    throw inputError({
      code: "layout-choice",
      message: `${dir} has several images${list}`,
      at: [],
      hint: "Say which one by tag or digest",
    });
  }
  return only;
}
