// Door of compiler/llb: Graph → Definition, and what graph builders need to name things as client/llb does.
export { type ImageOptions, imageAttrs, type LocalOptions, localAttrs, type OciLayoutOptions, ociLayoutAttrs } from "./attributes.ts";
export type { MarshalOptions } from "./codec.ts";
export { type DecodedDefinition, type DecodedOp, decodeDefinition } from "./definition.ts";
export { describeDefinition, type Json, type OpDescription } from "./describe.ts";
export { goJson } from "./gojson.ts";
export { marshal } from "./marshal.ts";
export { execOutputCount, execOutputIndex } from "./mounts.ts";
export { parseOwner } from "./owner.ts";
export { cleanPath, resolveDest, resolvePath } from "./paths.ts";
export { formatPlatform, normalizePlatform, parsePlatform } from "./platform.ts";
export { printDefinition } from "./print.ts";
export { normalizeReference, type Reference } from "./reference.ts";
