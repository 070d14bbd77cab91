// Door of manifests: what versions were made from. Loaded when `dagger inspect` asks.
export { dotOf } from "./dot.ts";
export { type Manifest, type ManifestRecord, manifestOf } from "./manifest.ts";
export { slsaOf } from "./slsa.ts";
