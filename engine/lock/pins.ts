// Pins: what a run takes instead of names that may come to mean something else, and which names it met.
import type { LockNeed, Position } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";
import type { SourcePolicy } from "../../runtime/solve/index.ts";
import { pinningPolicy } from "../../runtime/solve/index.ts";
import type { UpEvent } from "../events.ts";
import type { ReadRequest } from "../request.ts";
import type { LockFile, LockKind } from "./lock-file.ts";
import { emptyLock, lockKinds, lockPath, readLock } from "./lock-file.ts";

/** One name that a job takes something by. */
export interface Need {
  readonly kind: LockKind;
  readonly name: string;
  readonly at: readonly Position[];
  /** What it stands for, where the daemon has said so already: images in FROM of Dockerfiles. */
  readonly value?: string;
  /** How to ask the daemon what it stands for. */
  readonly source?: { readonly identifier: string; readonly attrs: Readonly<Record<string, string>> };
}

/** What becomes of names that are not in the lock: they are taken as they are, or refused, or just noted, for a lock that is to be written. */
export type PinMode = "allow" | "refuse" | "note";

export class Pins {
  readonly file: LockFile;
  readonly needs: Map<string, Need> = new Map();
  readonly #mode: PinMode;
  /** Names that a person was told of. */
  readonly #told = new Set<string>();

  constructor(file: LockFile, mode: PinMode) {
    this.file = file;
    this.#mode = mode;
  }

  /** Whether it matters by which names things are taken. */
  get matter(): boolean {
    return this.#mode !== "allow" || !this.#isEmpty();
  }

  /** What a run with a lock takes without it: each name once. Of a config without a lock nothing is said. */
  warning(): UpEvent | undefined {
    const news = this.#missing().filter(({ name }) => !this.#told.has(name));
    if (news.length === 0 || this.#isEmpty()) return undefined;
    for (const { name } of news) this.#told.add(name);
    const message = `Not in dagger.lock, so it may change: ${news.map(({ name }) => name).join(", ")}`;
    return { type: "warning", message, detail: ["Run `dagger lock update`"], at: news.flatMap(({ at }) => at.slice(0, 1)) };
  }

  /** What a name is to be taken as. Throws UserError (2) as `image` does. */
  of({ kind, name, identifier, attrs, at, value }: LockNeed): string | undefined {
    if (kind === "images" && value === undefined) return this.image(name, at);
    this.#note({ kind, name, at, source: { identifier, attrs }, ...(value !== undefined && { value }) });
    return this.file[kind][name];
  }

  /** The digest of an image. Throws UserError (2) where it has to be locked and is not: then nobody is asked for it. */
  image(ref: string, at: readonly Position[]): string | undefined {
    if (ref.includes("@")) return undefined;
    this.#note({ kind: "images", name: ref, at });
    const digest = this.file.images[ref];
    if (digest === undefined && this.#mode === "refuse") throw new UserError(2, [notLocked({ kind: "images", name: ref, at })]);
    return digest;
  }

  /** Throws UserError (2) with everything that has to be locked and is not. */
  check(): void {
    const missing = this.#mode === "refuse" ? this.#missing() : [];
    if (missing.length > 0) throw new UserError(2, missing.map(notLocked));
  }

  /** For images that the daemon's Dockerfile frontend resolves. */
  get policy(): SourcePolicy | undefined {
    return Object.keys(this.file.images).length === 0 ? undefined : pinningPolicy(this.file.images);
  }

  #isEmpty(): boolean {
    return lockKinds.every((kind) => Object.keys(this.file[kind]).length === 0);
  }

  #missing(): Need[] {
    return [...this.needs.values()].filter(({ kind, name }) => this.file[kind][name] === undefined);
  }

  #note(need: Need): void {
    const key = `${need.kind} ${need.name}`;
    if (!this.needs.has(key)) this.needs.set(key, need);
  }
}

/** The pins of a config's dagger.lock, if it has one. Throws UserError (2). */
export async function openPins({
  dir,
  cwd,
  locked = false,
  repeat,
}: Pick<ReadRequest, "dir" | "cwd" | "repeat"> & { readonly locked?: boolean }): Promise<Pins> {
  const file = (await readLock(lockPath(dir, cwd), cwd)) ?? emptyLock;
  // What is done again takes what it took.
  const section = (kind: LockKind): Record<string, string> => ({ ...file[kind], ...repeat?.lock[kind] });
  const taken = repeat === undefined ? file : { images: section("images"), git: section("git"), http: section("http") };
  return new Pins(taken, locked ? "refuse" : "allow");
}

const words: Readonly<Record<LockKind, string>> = { images: "Image", git: "Git ref", http: "Address" };

function notLocked({ kind, name, at }: Pick<Need, "kind" | "name" | "at">): UserError["diagnostics"][number] {
  const message = `${words[kind]} ${name} is not in dagger.lock`;
  return { code: "not-locked", message, at, hint: "Run `dagger lock update`, or leave out --locked" };
}
