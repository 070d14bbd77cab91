// Door of sources: places that have data, and the versions that they had. Loaded when a command is about them.
export type { ConflictPolicy } from "./conflict.ts";
export { type Link, linkVersions } from "./links.ts";
export {
  type AddedSource,
  addSource,
  lookAtSources,
  looksLikeVersion,
  moveSource,
  pauseSource,
  pinSource,
  removeSource,
  type SourceSettings,
  setSource,
  unpinSource,
} from "./manage.ts";
export { type ListedSource, listSources, logSource, type SourceVersion } from "./read.ts";
export { failureOf, type Refreshed } from "./refresh.ts";
export type { Source, SourceKind } from "./source.ts";
export { type SourceRequest, shortId } from "./versions.ts";
export type { NewSource } from "./wish.ts";
