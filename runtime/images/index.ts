// The door of runtime/images: the image store of this machine, and images in OCI layouts.
export { type LayoutImage, readLayout } from "./layout.ts";
export { hostPlatform, normalize as normalizePlatform, platformName } from "./platform.ts";
export type { ImportOptions } from "./source.ts";
export { type ImageStore, imagesDir, openImageStore, type StoredImage } from "./store.ts";
