// A conflict that a person ended with a commit of their own.
import { inputError } from "../../compiler/index.ts";
import { fetchTip } from "./place.ts";
import type { Push } from "./records.ts";
import { pushTo, record, type Settling } from "./settle.ts";
import { isAncestor } from "./trees.ts";

/** The commit is in the source already, or goes on from what it has and is pushed. Throws UserError (2) `bad-resolution`; as pushing does. */
export async function landByHand(pushes: readonly Push[], wanted: string, at: Settling): Promise<readonly Push[]> {
  const { git, source } = at;
  const wrong = (why: string, hint: string): Error =>
    inputError({
      code: "bad-resolution",
      message: `Cannot end the conflict of the source ${source.name} with ${wanted}: ${why}`,
      at: [],
      hint,
    });
  if (!/^[0-9a-f]{7,64}$/.test(wanted)) throw wrong("it is no hash of a commit", "Write the commit that has what is meant");
  await git.outcome("fetch", "-q", "--no-tags", "--filter=blob:none", "origin", "+refs/heads/*:refs/dagger/heads/*");
  const tip = await fetchTip(git, source);
  const found = await git.outcome("rev-parse", "-q", "--verify", `${wanted}^{commit}`);
  const landing = found.stdout.trim();
  if (found.code !== 0) throw wrong("no branch of its repository has it", "Push it to a branch first");
  let now = tip;
  if (!(await isAncestor(git, landing, tip))) {
    if (!(await isAncestor(git, tip, landing))) throw wrong("it does not go on from what the source has now", "Merge that into it first");
    await pushTo(git, source, landing, source.tag ?? "HEAD");
    now = landing;
  }
  const done: Push[] = [];
  for (const push of pushes) done.push(await record({ ...push, state: "pushed", landing }, now, at));
  return done;
}
