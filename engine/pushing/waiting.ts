// Pushes as tasks: what waits is pushed in its order, what fails waits longer and longer, and nothing is forgotten in between.
import { inputError, UserError } from "../../compiler/index.ts";
import type { ConflictPolicy } from "../sources/conflict.ts";
import type { Source } from "../sources/source.ts";
import type { PlaceScope } from "../sources/versions.ts";
import type { Store } from "../store/index.ts";
import { waitAfter } from "../watching/poller.ts";
import { landByHand } from "./by-hand.ts";
import { inPushes, letGo } from "./place.ts";
import { datumOf, findPush, type Push, type PushState, pushesOf, pushLease } from "./records.ts";
import { type Settling, settle } from "./settle.ts";

/** Milliseconds until a push that failed once is tried again. */
const firstWait = 5000;

/** A push, and why it is not done. */
export interface Settled {
  readonly push: Push;
  /** `push-conflict`, `push-failed`, `push-refused`, `push-elsewhere`. */
  readonly error?: UserError;
  /** Milliseconds until it is tried again by itself. */
  readonly again?: number;
}

interface Parts {
  readonly scope: PlaceScope;
  readonly store: Store;
}

/**
 * Pushes what waits for a source, the oldest first. `now`, milliseconds since 1970, leaves alone what is not due by then, and sources that are paused;
 * without it a person asks. Rejects only where that was interrupted, or the store fails.
 */
export async function pushWaiting(source: Source, parts: Parts, now?: number): Promise<readonly Settled[]> {
  if (source.kind !== "git" || (source.paused === true && now !== undefined)) return [];
  const isDue = async (): Promise<readonly Push[]> => {
    const waiting = await pushesOf(parts.store, source.name, ["waiting"]);
    return now === undefined || (waiting[0]?.next ?? 0) <= now ? waiting : [];
  };
  if ((await isDue()).length === 0) return [];
  return alone(source, parts, async (at) => {
    const done: Settled[] = [];
    for (const push of await isDue()) {
      const one = await pushOne(push, undefined, at);
      done.push(one);
      // What comes after it has it in it.
      if (one.push.state === "waiting") break;
    }
    return done;
  });
}

/** Pushes what waits, as a person asks for it; and tells of conflicts that nobody has ended yet. */
export async function pushOpen(source: Source, parts: Parts): Promise<readonly Settled[]> {
  if (source.kind !== "git") return [];
  const done = await pushWaiting(source, parts);
  const open = await pushesOf(parts.store, source.name, ["conflict"]);
  const old = open.filter(({ commit }) => !done.some(({ push }) => push.commit === commit));
  return [...old.map((push) => ({ push, error: conflict(push) })), ...done];
}

/** How a person ends a conflict: by a policy, by a commit that was made by hand, or by giving up what the node gave. */
export type Resolution = Exclude<ConflictPolicy, "fail"> | { readonly commit: string } | "drop";

/** Ends all conflicts of a source in one way, the oldest first. Throws UserError (2) `no-conflict`, `bad-resolution`. */
export async function resolveConflicts(source: Source, by: Resolution, parts: Parts): Promise<readonly Settled[]> {
  const { store } = parts;
  return alone(source, parts, async (at) => {
    const open = await pushesOf(store, source.name, ["conflict"]);
    if (open.length === 0) {
      const hint = "See what is not pushed: dagger source conflicts";
      throw inputError({ code: "no-conflict", message: `The source ${source.name} has no conflict`, at: [], hint });
    }
    if (typeof by === "object") return (await landByHand(open, by.commit, at)).map((push) => ({ push }));
    const done: Settled[] = [];
    for (const push of open) done.push(by === "drop" ? await drop(push, at) : await pushOne(push, by, at));
    return done;
  });
}

/** Runs `work` while nobody else, on any machine, makes or pushes commits of the source. */
async function alone<T>(source: Source, { scope, store }: Parts, work: (at: Settling) => Promise<T>): Promise<T> {
  const lease = await store.leases.acquire({ key: pushLease(source.name), signal: scope.signal });
  const signal = AbortSignal.any([scope.signal, lease.signal]);
  try {
    return await inPushes(source, { ...scope, signal }, (git) => work({ git, source, scope: { ...scope, signal }, store }));
  } finally {
    await lease.release();
  }
}

async function pushOne(push: Push, by: ConflictPolicy | undefined, at: Settling): Promise<Settled> {
  try {
    const found = await settle(push, by, at);
    return found.state === "conflict" ? { push: found, error: conflict(found) } : { push: found };
  } catch (error) {
    if (!(error instanceof UserError) || error.exit === 130) throw error;
    const told = error.diagnostics[0];
    if (told?.code === "push-elsewhere") return { push, error };
    const isTold = told?.code.startsWith("push-") === true || told?.code === "merge-failed";
    const why = told?.message ?? "";
    const attempts = push.attempts + 1;
    const again = waitAfter(firstWait, attempts);
    // What was meant before it failed stays known.
    const kept = (await findPush(at.store, push.source, push.commit)) ?? push;
    const next: PushState = push.state;
    const failed: Push = { ...kept, state: next, attempts, next: Date.now() + again, why };
    await at.store.lineages.record([datumOf(failed)]);
    return { push: failed, error: isTold ? error : notPushed(push, why, error), ...(next === "waiting" ? { again } : {}) };
  }
}

async function drop(push: Push, { git, store, scope }: Settling): Promise<Settled> {
  const dropped: Push = { ...push, state: "dropped" };
  await store.lineages.record([datumOf(dropped)]);
  await letGo(git, push.commit, scope);
  return { push: dropped };
}

/** Told again whenever somebody looks. */
export function conflict({ source, node, commit, paths, why = "it has changed" }: Push): UserError {
  const files = paths.length === 0 ? "" : `; files that both changed: ${paths.slice(0, 5).join(", ")}${paths.length > 5 ? ", …" : ""}`;
  const what = `what node ${node.slice(0, 8)} gave (${commit.slice(0, 8)})`;
  const message = `The source ${source} does not have ${what}: ${why}${files}`;
  const hint = `It is kept here. Say what is meant: dagger source resolve ${source} --ours, --theirs, --merge or --branch`;
  return new UserError(1, [{ code: "push-conflict", message, at: [], hint }]);
}

function notPushed({ source, node }: Push, why: string, cause: UserError): UserError {
  const message = `Cannot push what node ${node.slice(0, 8)} gave to the source ${source}: ${why}`;
  const hint = `It is kept here, and is pushed again by itself; at once with \`dagger source push ${source}\``;
  return new UserError(3, [{ code: "push-failed", message, at: [], hint }], { cause });
}
