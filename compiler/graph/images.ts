// Resolves the images of a pass before it is built: all at once, each only once.

import type { Diagnostic } from "../diagnostic.ts";
import { UserError } from "../diagnostic.ts";
import { specOf } from "../ops/op.ts";
import type { Program } from "../ops/program.ts";
import type { ImageContext, ImageNeed } from "../ops/spec.ts";
import type { OpBase } from "../ops/use.ts";
import type { ImageResolver, ResolvedImage } from "../ports.ts";

/** Images by the op that fetches them. Throws UserError with what is wrong with any of them. */
export async function resolveImages(
  programs: readonly Program[],
  images: ImageResolver,
  context: ImageContext,
): Promise<Map<OpBase<string>, ResolvedImage>> {
  const resolving = new Map<string, Promise<ResolvedImage>>();
  const wanted: [OpBase<string>, string][] = [];
  for (const op of programs.flatMap((program) => program.ops)) {
    const need = specOf(op).image?.(op, context);
    if (need === undefined) continue;
    const { at: _, ...identity } = need;
    const key = JSON.stringify(identity);
    if (!resolving.has(key)) resolving.set(key, resolve(need, images));
    wanted.push([op, key]);
  }
  const settled = await Promise.allSettled(resolving.values());
  throwFailures(settled);
  const resolved = new Map([...resolving.keys()].map((key, i) => [key, settled[i]]));
  return new Map(
    wanted.flatMap(([op, key]) => {
      const result = resolved.get(key);
      return result?.status === "fulfilled" ? [[op, result.value]] : [];
    }),
  );
}

async function resolve(need: ImageNeed, images: ImageResolver): Promise<ResolvedImage> {
  const { kind, ...request } = need;
  return kind === "image"
    ? images.image(request as Extract<ImageNeed, { kind: "image" }>)
    : images.layout(request as Extract<ImageNeed, { kind: "layout" }>);
}

/** A bug is thrown as it is; what users did wrong is told all together. */
function throwFailures(settled: readonly PromiseSettledResult<ResolvedImage>[]): void {
  const failures = settled.filter((result) => result.status === "rejected").map((result) => result.reason as unknown);
  const bug = failures.find((failure) => !(failure instanceof UserError));
  if (bug !== undefined) throw bug instanceof Error ? bug : new Error("An image port failed", { cause: bug });
  const users = failures as UserError[];
  const [first] = users;
  if (first === undefined) return;
  if (users.length === 1) throw first;
  const diagnostics: Diagnostic[] = users.flatMap((failure) => failure.diagnostics);
  throw new UserError(first.exit, diagnostics, { cause: first });
}
