// Brings one commit that waits to its source: pushed as it is, joined with what changed meanwhile as the policy has it, or told as a conflict.
import { UserError } from "../../compiler/index.ts";
import { seenCommit } from "../sources/ask/git.ts";
import { type Git, gitFailure, reasonOf } from "../sources/ask/mirror.ts";
import { type ConflictPolicy, usualPolicy } from "../sources/conflict.ts";
import type { Source } from "../sources/source.ts";
import { type PlaceScope, versionKey, versionOf } from "../sources/versions.ts";
import type { DatumEdge, NewDatum, Store } from "../store/index.ts";
import { combine, pathsOf, type Sides } from "./combine.ts";
import { commitTree } from "./identity.ts";
import { fetchTip, isKept, letGo } from "./place.ts";
import { datumOf, type Push, pushesOf } from "./records.ts";
import { isAncestor, mergeBase } from "./trees.ts";

/** Where a source changes all the time: so often what was joined is joined anew. */
const tries = 5;

export interface Settling {
  readonly git: Git;
  readonly source: Source;
  readonly scope: PlaceScope;
  readonly store: Store;
}

/** The push as it is then, recorded. What keeps it from being pushed is thrown: 3 `push-failed`, `push-refused`; it waits then. */
export async function settle(push: Push, by: ConflictPolicy | undefined, at: Settling): Promise<Push> {
  const { git, source } = at;
  for (let attempt = 0; attempt < tries; attempt++) {
    const tip = await fetchTip(git, source);
    const landing = await landingOf(push, tip, git);
    if (landing !== undefined) return record({ ...push, state: "pushed", landing }, tip, at);
    if (!(await isKept(git, push.commit))) throw elsewhere(push);
    const way = await wayTo(tip, push, by, at);
    if ("paths" in way) return record({ ...push, state: "conflict", paths: way.paths, why: way.why }, tip, at);
    const { commit, branch } = way;
    // Whoever goes on after a crash knows what was meant.
    const meant = { ...push, landing: commit, ...(branch === undefined ? {} : { branch }) };
    if (commit !== push.commit) await at.store.lineages.record([datumOf(meant)]);
    try {
      await pushTo(git, source, commit, branch ?? source.tag ?? "HEAD");
    } catch (error) {
      // Somebody else was faster.
      if ((await fetchTip(git, source)) !== tip) continue;
      throw error;
    }
    return record({ ...meant, state: "pushed", paths: [] }, branch === undefined ? commit : tip, at);
  }
  const message = `Cannot push to the source ${source.name}: it changes faster than its changes can be taken in`;
  throw new UserError(3, [{ code: "push-failed", message, at: [], hint: `Nothing is lost. Try again: dagger source push ${source.name}` }]);
}

function elsewhere({ source, commit, machine }: Push): UserError {
  const message = `What has to be pushed to the source ${source} (${commit.slice(0, 8)}) is not in this workspace, but in one of ${machine}`;
  return new UserError(3, [{ code: "push-elsewhere", message, at: [], hint: `Push it there: dagger source push ${source}` }]);
}

/** The commit by which the source has it already: it was pushed, and whoever did it could not say so any more; or a person brought it there. */
async function landingOf({ commit, landing }: Push, tip: string, git: Git): Promise<string | undefined> {
  for (const one of [landing, commit]) if (one !== undefined && (await isAncestor(git, one, tip))) return one;
  return undefined;
}

type Way = { readonly commit: string; readonly branch?: string } | { readonly paths: readonly string[]; readonly why: string };

async function wayTo(tip: string, push: Push, by: ConflictPolicy | undefined, at: Settling): Promise<Way> {
  const { git, source, store } = at;
  const ours = push.commit;
  // To push or merge would bring back what somebody took away.
  const hasStart = await isAncestor(git, await startOf(push, store), tip);
  if (hasStart && (await isAncestor(git, tip, ours))) return { commit: ours };
  const policy = by ?? push.policy ?? source.onConflict ?? usualPolicy;
  if (policy === "branch") return { commit: ours, branch: `dagger/${push.node.slice(0, 8)}-${ours.slice(0, 8)}` };
  const base = await mergeBase(git, ours, tip);
  if (base === undefined || !hasStart) return { paths: [], why: "its history was rewritten" };
  const sides = { base, ours, theirs: tip };
  const joined = async (how: Parameters<typeof combine>[2]): Promise<Way> => {
    const combined = await combine(git, sides, how);
    if ("paths" in combined) return { paths: combined.paths, why: "the same files changed there" };
    const subject = `Merge results of node ${push.node.slice(0, 8)}`;
    return { commit: await commitTree(git, source, { tree: combined.tree, parents: [tip, ours], origin: push, subject }) };
  };
  // What other nodes gave is no change of somebody else.
  if (await isOwn(sides, at)) {
    const apart = await joined("apart");
    if ("commit" in apart || policy === "fail") return apart;
  }
  if (policy === "fail") return { paths: await pathsOf(git, sides), why: "it has changed since the node began" };
  return joined(policy);
}

/** The commit of the remote from which a line of pushes began. */
async function startOf(push: Push, store: Store): Promise<string> {
  const all = new Map((await pushesOf(store, push.source, ["waiting", "conflict", "pushed", "dropped"])).map((one) => [one.commit, one]));
  let { base } = push;
  for (let before = all.get(base); before !== undefined && before.state !== "pushed"; before = all.get(base)) base = before.base;
  return base;
}

/** Whether nodes of this store made all commits since. */
async function isOwn({ base, theirs }: Sides, { git, source, store }: Settling): Promise<boolean> {
  const pushes = await pushesOf(store, source.name, ["pushed"]);
  const own = new Set(pushes.flatMap(({ commit, landing = commit }) => [commit, landing]));
  const since = (await git("rev-list", `${base}..${theirs}`)).split("\n").filter((line) => line !== "");
  return since.every((commit) => own.has(commit));
}

/** Never with force. Throws UserError: 2 `source-gone`; 3 `push-refused`, `source-unreachable`. */
export async function pushTo(git: Git, source: Source, commit: string, branch: string): Promise<void> {
  const done = await git.outcome("push", "--porcelain", "--no-verify", "origin", `${commit}:refs/heads/${branch}`);
  if (done.code === 0) return;
  const told = done.stdout.split("\n").find((line) => line.startsWith("!"));
  const isRight = /\b40[13]\b|denied|permission|not allowed|read.only|authenticat|not enabled|could not read/i.test(done.stderr);
  if (told === undefined && !isRight) throw gitFailure(done.stderr, source);
  // `! FROM:TO [remote rejected] (REASON)`
  const reason = told === undefined ? reasonOf(done.stderr, source) : told.replace(/^.*\t\[[^\]]*\]\s*/, "").replace(/^\((.*)\)$/, "$1");
  const message = `The source ${source.name} does not take what a node gave: ${reason}`;
  const hint = `Check its branch and the rights of its credentials. It is kept here: push it again with \`dagger source push ${source.name}\``;
  throw new UserError(3, [{ code: "push-refused", message, at: [], hint }]);
}

/** All at once: the state of the push, the versions that came of it, and what the source has now. */
export async function record(push: Push, tip: string, { git, source, scope, store }: Settling): Promise<Push> {
  const data: NewDatum[] = [datumOf(push)];
  const edges: DatumEdge[] = [];
  const own = versionKey(source.name, push.version);
  const later = (await pushesOf(store, source.name, ["waiting"])).filter(({ commit }) => commit !== push.commit);
  const now = await seenCommit(git, tip, source);
  const landed = push.landing === undefined || push.state !== "pushed" ? undefined : await seenCommit(git, push.landing, source);
  if (landed !== undefined && landed.id !== push.version) {
    data.push(versionOf(source, landed));
    edges.push({ child: versionKey(source.name, landed.id), parent: own, kind: "merge" });
    for (const parent of (await git("rev-parse", `${push.landing}^@`)).split("\n").filter((line) => line !== "" && line !== push.commit)) {
      const seen = await seenCommit(git, parent, source);
      if (seen === undefined || [landed.id, push.version].includes(seen.id)) continue;
      data.splice(1, 0, versionOf(source, seen));
      edges.push({ child: versionKey(source.name, landed.id), parent: versionKey(source.name, seen.id), kind: "merge" });
    }
  }
  // What waits behind it has it in it, and counts until it is pushed, too.
  if (now !== undefined && later.length === 0) data.push(versionOf(source, now, true));
  await store.lineages.record(data, edges);
  if (push.state === "pushed") await letGo(git, push.commit, scope);
  return push;
}
