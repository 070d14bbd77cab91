// What a Dockerfile takes by names that may come to mean something else: its frontend, images, addresses and repositories.
import type { Position } from "../diagnostic.ts";
import { type ForeignSource, formatPlatform, gitIdentifier, normalizeReference, parseGitUrl } from "../llb/index.ts";
import type { DockerBuildOp } from "./docker-build-op.ts";
import { dockerfileSyntax } from "./dockerfile-syntax.ts";
import type { LowerContext } from "./spec.ts";

/** Throws UserError (2) when the Dockerfile's frontend has to be locked and is not: it is a program, and is not to run then. */
export function checkFrontend(op: DockerBuildOp, text: string, options: Readonly<Record<string, string>>, context: LowerContext): void {
  const named = options["build-arg:BUILDKIT_SYNTAX"]?.trim().split(" ")[0] ?? dockerfileSyntax(text);
  const reading = normalizeReference(named ?? "");
  if (!reading.ok || reading.digest !== undefined) return;
  // An image of this machine, or a context of the op, goes before one of a registry.
  const name = `context:${reading.reference.replace(/^docker\.io\/(library\/)?/, "").replace(/:latest$/, "")}`;
  if (name in options || `${name}::${formatPlatform(context.platform)}` in options) return;
  const at = op.place.fields.get("dockerfile") ?? op.place.fields.get("dockerfilePath") ?? op.place.at;
  context.locked?.({ kind: "images", name: reading.reference, identifier: `docker-image://${reading.reference}`, attrs: {}, at });
}

/** A Dockerfile: what it is called for people, and what is in it. */
interface Dockerfile {
  readonly file: string;
  readonly text: string;
}

/** Gives the source by its commit or checksum, for a graph that the frontend has made. */
export function lockedSource(
  op: DockerBuildOp,
  dockerfile: Dockerfile,
  { locked }: LowerContext,
): ((source: ForeignSource, at: readonly Position[]) => ForeignSource | undefined) | undefined {
  if (locked === undefined) return undefined;
  const addresses = op.contexts.flatMap(([, context]) => (typeof context === "string" ? [context] : []));
  const written = [dockerfile.text, ...op.buildArg.map(([, value]) => value), ...addresses].join("\n");
  return (source, opAndLines) => {
    const { identifier, attrs } = source;
    const lines = opAndLines.slice(op.place.at.length);
    // The Dockerfile's own line tells more than the op's; of what is added, the frontend does not say it.
    const at = [...(lines.length > 0 ? lines : lineWith(attrs["git.fullurl"] ?? identifier, dockerfile)), ...op.place.at];
    const [, name, digest = ""] = /^docker-image:\/\/([^@]+:[^/@]+)@(sha256:[0-9a-f]{64})$/.exec(identifier) ?? [];
    // The frontend has the digest from the Dockerfile, or from the registry. The daemon gave it what the lock says.
    if (name !== undefined && !written.includes(digest)) locked({ kind: "images", name, identifier, attrs, at, value: digest });
    if (/^https?:\/\//.test(identifier) && attrs["http.checksum"] === undefined) {
      const checksum = locked({ kind: "http", name: identifier, identifier, attrs, at });
      return checksum === undefined ? undefined : { identifier, attrs: { ...attrs, "http.checksum": checksum } };
    }
    return identifier.startsWith("git://") && attrs["git.checksum"] === undefined ? lockedCommit(source, at, locked) : undefined;
  };
}

function lineWith(word: string, { file, text }: Dockerfile): Position[] {
  const line = text.split("\n").findIndex((one) => one.includes(word)) + 1;
  return line === 0 ? [] : [{ file, line, column: 1 }];
}

function lockedCommit(
  { identifier, attrs }: ForeignSource,
  at: readonly Position[],
  locked: NonNullable<LowerContext["locked"]>,
): ForeignSource | undefined {
  const url = attrs["git.fullurl"] ?? identifier;
  const [, ref = "", subdir = ""] = /#([^:]*):?(.*)$/.exec(identifier) ?? [];
  const reading = parseGitUrl(url);
  if (!reading.ok || /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return undefined;
  const commit = locked({ kind: "git", name: `${url}#${ref === "" ? "HEAD" : ref}`, identifier, attrs, at });
  return commit === undefined ? undefined : { identifier: gitIdentifier(reading.url, commit, subdir), attrs };
}
