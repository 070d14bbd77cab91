// pb.FileOp: a chain of file actions, each on the result of the one before; only the last one's result leaves the op.
import type { ChownOpt, FileActionCopy, FileAction as PbAction, UserOpt } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Chown, FileAction, FileChain, FileVertex, Owner, Ref } from "../graph/vertex.ts";
import { CAPS } from "./caps.ts";
import { InputList, NONE, type OpCodec } from "./codec.ts";
import { resolveDest, resolvePath } from "./paths.ts";
import { toBuffer } from "./wire.ts";

type Copy = Extract<FileAction, { kind: "copy" }>;
type PbActionKind = NonNullable<PbAction["action"]>;

const PERMISSIONS = 0o777;
/** "Do as by default": for the time of a file that an action makes, and for the mode of a copied one. */
const DEFAULT_TIME = -1n;
const KEEP_MODE = -1;

export const file: OpCodec<FileVertex> = {
  validate(vertex) {
    return isComplete(vertex) ? undefined : "a file op needs an action";
  },
  inputs(vertex) {
    return [...chainInputs(vertex), ...(vertex.also ?? [])];
  },
  encode(vertex, context) {
    const inputs = new InputList(context);
    const placed = new Placement(inputs);
    placed.add(vertex);
    for (const output of vertex.also ?? []) inputs.add(output);
    const last = placed.steps.length - 1;
    // Results of earlier actions are numbered after the inputs.
    const index = (place: Place): bigint => (place.step === undefined ? place.input : BigInt(inputs.list.length + place.step));
    const actions = placed.steps.map(({ action, input, secondary, base }, i) => ({
      input: index(input),
      secondaryInput: index(secondary),
      output: i === last ? 0n : NONE,
      action: encodeAction(action, base),
    }));
    // client/llb lists no capability of single actions, though daemons know some: those are checked before the graph is built.
    return { op: { $case: "file", value: { actions } }, inputs: inputs.list, caps: [CAPS.file] };
  },
};

function isComplete({ actions }: FileChain): boolean {
  return actions.length > 0 && actions.every((action) => action.kind !== "copy" || action.chain === undefined || isComplete(action.chain));
}

/** The newest action first, as client/llb walks them. */
function chainInputs({ base, actions }: FileChain): Ref[] {
  const sources = actions.map((action): Ref[] => {
    if (action.kind !== "copy") return [];
    return action.chain === undefined ? [action.from] : chainInputs(action.chain);
  });
  return [base, ...sources.reverse().flat()];
}

/** Where an action takes files from: an input of the op, or the result of an earlier action. */
type Place = { readonly input: bigint; readonly step?: undefined } | { readonly step: number };

const NOWHERE: Place = { input: NONE };

interface Step {
  readonly action: FileAction;
  readonly input: Place;
  readonly secondary: Place;
  /** The filesystem that the action's chain started with. */
  readonly base: bigint;
}

/** Puts the actions of chains in one list: those that a copy takes its files from come before it. */
class Placement {
  readonly steps: Step[] = [];
  readonly #inputs: InputList;
  /** The last step of each chain. */
  readonly #chains = new Map<FileChain, number>();

  constructor(inputs: InputList) {
    this.#inputs = inputs;
  }

  add(chain: FileChain): number {
    const known = this.#chains.get(chain);
    if (known !== undefined) return known;
    const base = this.#inputs.add(chain.base);
    let input: Place = { input: base };
    for (const action of chain.actions) {
      const secondary = action.kind === "copy" ? this.#source(action) : NOWHERE;
      input = { step: this.steps.push({ action, input, secondary, base }) - 1 };
    }
    this.#chains.set(chain, this.steps.length - 1);
    return this.steps.length - 1;
  }

  #source({ from, chain }: Copy): Place {
    return chain === undefined ? { input: this.#inputs.add(from) } : { step: this.add(chain) };
  }
}

/** `base` is the filesystem in which names of users and groups are looked up. */
function encodeAction(action: FileAction, base: bigint): PbActionKind {
  switch (action.kind) {
    case "copy":
      return { $case: "copy", value: encodeCopy(action, base) };
    case "mkfile":
      return { $case: "mkfile", value: { ...made(action, base), mode: action.mode & PERMISSIONS, data: toBuffer(action.data) } };
    case "mkdir":
      return { $case: "mkdir", value: { ...made(action, base), mode: action.mode & PERMISSIONS, makeParents: action.makeParents } };
    case "rm": {
      const { allowNotFound, allowWildcard } = action;
      return { $case: "rm", value: { path: resolvePath("/", action.path), allowNotFound, allowWildcard } };
    }
    case "symlink": {
      const { oldpath, newpath, timestamp } = action;
      return {
        $case: "symlink",
        value: { oldpath, newpath, owner: encodeChown(action.chown, base), timestamp: timestamp ?? DEFAULT_TIME },
      };
    }
  }
}

function made(action: Extract<FileAction, { kind: "mkfile" | "mkdir" }>, base: bigint): MadeFields {
  return {
    path: resolvePath("/", action.path),
    owner: encodeChown(action.chown, base),
    timestamp: action.timestamp ?? DEFAULT_TIME,
  };
}
type MadeFields = { path: string; owner: ChownOpt | undefined; timestamp: bigint };

function encodeCopy(action: Copy, base: bigint): FileActionCopy {
  return {
    src: resolvePath("/", action.src),
    dest: resolveDest("/", action.dest),
    owner: encodeChown(action.chown, base),
    mode: action.modeStr ? 0 : (action.mode ?? KEEP_MODE),
    followSymlink: action.followSymlinks,
    dirCopyContents: action.dirCopyContents,
    attemptUnpackDockerCompatibility: action.attemptUnpack,
    createDestPath: action.createDestPath,
    allowWildcard: action.allowWildcard,
    allowEmptyWildcard: action.allowEmptyWildcard,
    timestamp: action.timestamp ?? DEFAULT_TIME,
    include_patterns: [...action.include],
    exclude_patterns: [...action.exclude],
    alwaysReplaceExistingDestPaths: action.alwaysReplaceExistingDestPaths,
    modeStr: action.modeStr ?? "",
    required_paths: [...action.requiredPaths],
  };
}

function encodeChown(chown: Chown | undefined, base: bigint): ChownOpt | undefined {
  return chown && { user: encodeOwner(chown.user, base), group: encodeOwner(chown.group, base) };
}

function encodeOwner(owner: Owner | undefined, base: bigint): UserOpt | undefined {
  if (owner === undefined) return undefined;
  if ("id" in owner) return { user: { $case: "byID", value: owner.id } };
  // No name is root's id, as in `:group`.
  if (owner.name === "") return { user: { $case: "byID", value: 0 } };
  return { user: { $case: "byName", value: { name: owner.name, input: base } } };
}
