// Door of compiler/llb: Graph → Definition, and what graph builders need to name things as client/llb does.
export { gitAttrs, httpAttrs, imageAttrs, localAttrs, ociLayoutAttrs } from "./attributes.ts";
export type { MarshalOptions } from "./codec.ts";
export { decodeDefinition } from "./definition.ts";
export { describeDefinition } from "./describe.ts";
export { type ExecMount, execMounts } from "./exec-mounts.ts";
export { type GitUrl, gitIdentifier, parseGitUrl } from "./giturl.ts";
export { goJson } from "./gojson.ts";
export { marshal } from "./marshal.ts";
export { execOutputCount, execOutputIndex } from "./mounts.ts";
export { type Origin, originOf, sourceOf } from "./origin.ts";
export { parseOwner } from "./owner.ts";
export { cleanPath, resolveDest, resolvePath } from "./paths.ts";
export { formatPlatform, normalizePlatform, parsePlatform } from "./platform.ts";
export { printDefinition } from "./print.ts";
export { normalizeReference } from "./reference.ts";
export { execSessionNeeds } from "./session.ts";
export { type ForeignSource, type SpliceOptions, spliceDefinition } from "./splice.ts";
export { checkDaemon, type Daemon, takesUsualGraph } from "./support.ts";
