// dagger lock: writes dagger.lock, and tells what has moved since.
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ImageRequest } from "../../compiler/index.ts";
import { inputError } from "../../compiler/index.ts";
import { displayName } from "../../runtime/cue/index.ts";
import { cacheDir } from "../../runtime/directories.ts";
import { hostPlatform } from "../../runtime/images/index.ts";
import { withLock } from "../../runtime/lock.ts";
import { Offer, type OpenBuild, type OpenRequest, openBuild } from "../build/connect.ts";
import { frontendPort } from "../build/frontends.ts";
import { StepTracker } from "../build/steps.ts";
import { compileConfig, loadConfig } from "../config/config.ts";
import { checkLocals } from "../config/locals.ts";
import { parseSsh } from "../flags/ssh.ts";
import { imagePort } from "../images.ts";
import type { ReadRequest } from "../request.ts";
import { learning } from "../secrets/events.ts";
import { scopeOf } from "../secrets/provider.ts";
import { Scrubber } from "../secrets/scrubber.ts";
import { checkSecrets, parseSecrets, secretReader } from "../secrets/sources.ts";
import type { LockFile } from "./lock-file.ts";
import { emptyLock, lockKinds, lockPath, readLock, writeLock } from "./lock-file.ts";
import { type Need, Pins } from "./pins.ts";

export interface LockRequest extends ReadRequest {
  readonly secrets?: readonly string[];
  /** As for a run. */
  readonly allowHost?: boolean;
  readonly ssh?: readonly string[];
  readonly buildkit?: string;
  readonly tls?: OpenRequest["tls"];
  readonly signal: AbortSignal;
}

/** One name, what dagger.lock has for it, and what it stands for now; undefined where there is none. */
export interface LockEntry {
  readonly kind: "images" | "git" | "http";
  readonly name: string;
  readonly locked?: string;
  readonly now?: string;
}

export interface LockState {
  /** As a person would type it. */
  readonly file: string;
  readonly entries: readonly LockEntry[];
  /** Components that wait for values of the job: what they fetch cannot be known before it runs. */
  readonly waiting: readonly string[];
}

/** What differs between dagger.lock and the world; nothing is written. Throws UserError. */
export async function checkLock(request: LockRequest): Promise<LockState> {
  const path = lockPath(request.dir, request.cwd);
  const file = (await readLock(path, request.cwd)) ?? emptyLock;
  const { now, waiting } = await resolveAll(request);
  return { file: displayName(path, request.cwd), entries: compare(file, now), waiting };
}

/**
 * Writes what all names of the config stand for now; with `names`, those that are locked already and not named stay as they are. The
 * result tells what was there before. Throws UserError (2) `unknown-lock-name` when the config does not fetch one of them.
 */
export async function updateLock(request: LockRequest & { readonly names: readonly string[] }): Promise<LockState> {
  if (request.stack?.cached === true) {
    const message = `The config of the stack ${request.stack.stack} is a git repository's or a module's, and so is its dagger.lock`;
    throw inputError({
      code: "lock-elsewhere",
      message,
      at: [],
      hint: "Write it in a clone, commit it, then `dagger stack edit --update`",
    });
  }
  const path = lockPath(request.dir, request.cwd);
  await readLock(path, request.cwd);
  const { now, waiting } = await resolveAll(request);
  const known = lockKinds.flatMap((kind) => Object.keys(now[kind]));
  const unknown = request.names.filter((name) => !known.some((one) => isNamed(one, name)));
  if (unknown.length > 0) {
    const hint = known.length === 0 ? "It fetches nothing by a name" : `It fetches ${known.join(", ")}`;
    throw inputError(...unknown.map((name) => ({ code: "unknown-lock-name", message: `The config fetches no ${name}`, at: [], hint })));
  }
  const keep = (name: string): boolean => request.names.length > 0 && !request.names.some((wanted) => isNamed(name, wanted));
  return changing(path, request, async () => {
    // Read again: somebody else may have written it while the daemon was asked.
    const before = (await readLock(path, request.cwd)) ?? emptyLock;
    const section = (kind: keyof LockFile): Record<string, string> =>
      Object.fromEntries(Object.entries(now[kind]).map(([name, value]) => [name, keep(name) ? (before[kind][name] ?? value) : value]));
    const after: LockFile = { images: section("images"), git: section("git"), http: section("http") };
    await writeLock(path, after);
    return { file: displayName(path, request.cwd), entries: compare(before, after), waiting };
  });
}

/** Runs `change` while no other process of this user changes the file. Its lock lies in the cache directory, not among the user's files. */
function changing<T>(path: string, { env, signal }: LockRequest, change: () => Promise<T>): Promise<T> {
  const name = createHash("sha256").update(path).digest("hex").slice(0, 32);
  return withLock(join(cacheDir(env), "locks", name), change, signal);
}

/** `alpine` names docker.io/library/alpine:3.20, too. */
function isNamed(name: string, wanted: string): boolean {
  return name === wanted || name === `docker.io/library/${wanted}` || name.replace(/[:#][^/]*$/, "").endsWith(`/${wanted}`);
}

function compare(locked: LockFile, now: LockFile): LockEntry[] {
  return lockKinds.flatMap((kind) =>
    [...new Set([...Object.keys(locked[kind]), ...Object.keys(now[kind])])].sort().map((name) => {
      const [was, is] = [locked[kind][name], now[kind][name]];
      return { kind, name, ...(was !== undefined && { locked: was }), ...(is !== undefined && { now: is }) };
    }),
  );
}

/** What every name of the config stands for at this moment. */
async function resolveAll(request: LockRequest): Promise<Resolved> {
  const scrubber = new Scrubber();
  try {
    return await resolveWith(scrubber, request);
  } catch (error) {
    throw scrubber.data(error);
  }
}

interface Resolved {
  readonly now: LockFile;
  readonly waiting: readonly string[];
}

async function resolveWith(scrubber: Scrubber, request: LockRequest): Promise<Resolved> {
  const config = await loadConfig(request);
  const offer = new Offer();
  let opening: Promise<OpenBuild> | undefined;
  const secrets = parseSecrets(request.secrets ?? [], request.cwd);
  const readSecret = learning(scrubber, secretReader(secrets, scopeOf(request)), () => undefined);
  await checkSecrets(secrets, readSecret);
  const open = (): Promise<OpenBuild> => {
    const extras = { ssh: parseSsh(request.ssh ?? [], request.env) };
    opening ??= openBuild({ ...request, extras }, offer, readSecret, new StepTracker(() => undefined), Promise.resolve(config.clientId));
    return opening;
  };
  try {
    const pins = new Pins(emptyLock, "note");
    const digests = new Map<string, string>();
    const remote = async (image: ImageRequest): Promise<{ digest: string; config: Uint8Array }> => {
      pins.image(image.ref, image.at);
      const found = await (await open()).remoteImage({ ...image, resolveMode: "pull" });
      digests.set(image.ref, found.digest);
      return found;
    };
    const images = imagePort(request.env, offer, remote);
    const serve = async (locals: Parameters<typeof checkLocals>[0]): Promise<void> => {
      await checkLocals(locals, { root: config.workspace, own: [...config.own, ...config.granted] });
      offer.serveLocals(locals);
    };
    const frontends = frontendPort({ open, serve, localImages: (platform) => images.local(platform) });
    const job = await compileConfig(config, config.evaluation, { images, frontends }, { env: request.env, targets: [], pins });
    const found = await Promise.all(
      [...pins.needs.values()].map(async (need) => {
        // Nothing is taken of the image, but what its name stands for.
        const image = async (): Promise<string> =>
          (await remote({ ref: need.name, platform: hostPlatform(), resolveMode: "pull", at: need.at })).digest;
        const known = need.value ?? digests.get(need.name);
        return [need, known ?? (need.kind === "images" ? await image() : await ask(need, open))] as const;
      }),
    );
    const section = (kind: Need["kind"]): Record<string, string> =>
      Object.fromEntries(found.filter(([need]) => need.kind === kind).map(([need, value]) => [need.name, value]));
    return {
      now: { images: section("images"), git: section("git"), http: section("http") },
      waiting: job.deferred.map(({ path }) => path),
    };
  } finally {
    await opening?.then((opened) => opened.close()).catch(() => undefined);
    config.close();
  }
}

/** What a git ref or an address stands for. */
async function ask({ name, at, source }: Need, open: () => Promise<OpenBuild>): Promise<string> {
  try {
    if (source === undefined) throw new Error("there is no way to ask for it");
    const { build } = await open();
    const { git, http } = await build.gateway((gateway) => gateway.resolveSourceMeta(source));
    const value = git === undefined ? http?.checksum : git.commitChecksum || git.checksum;
    if (value === undefined || value === "") throw new Error("the daemon does not say what it is");
    return value;
  } catch (cause) {
    const message = `Cannot find out what ${name} stands for: ${(cause as Error).message}`;
    throw inputError({
      code: "cannot-lock",
      message,
      at,
      hint: "Check the name and the network; a daemon before BuildKit 0.26 cannot tell",
    });
  }
}
