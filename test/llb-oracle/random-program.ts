// Random programs, each wholly decided by its seed: every operation and option of the library, in any order.
import type { ActionJson, Json, MountJson, Options, Program, Step } from "./program.ts";
import { CONFIGS, IPS, PLATFORMS, randomChange } from "./random-change.ts";
import { DIGEST, fileInfo, git, http, imageOptions, local } from "./random-sources.ts";
import { Random } from "./seeded.ts";

const REFS = ["debian", "debian:12", "me/tool", "a.b:1/c/d:e", `debian@${DIGEST}`, `debian:12@${DIGEST}`];
const BLOBS = [`debian@${DIGEST}`, `a.b:1/c@${DIGEST}`];
const LINES = ["make all", `sh -c 'a "b" \\c'`, 'a "b\\"c" d\\ e', "a # b", "a#b ''", "\ta\n#c\n b"];

/** What a step gave, as far as the steps after it must know. */
interface Result {
  readonly scratch: boolean;
  /** Of commands: where something can start from. */
  readonly mounts?: readonly { readonly dest: string; readonly scratch: boolean }[];
}

type Made = readonly [step: Step, result: Result];

function made(step: Step, result: Result): Made {
  return [step, result];
}

export function randomProgram(seed: number): Program {
  const random = new Random(seed);
  const maker = new Maker(random);
  const size = 2 + random.below(60);
  for (let i = 0; i < size; i++) maker.step();
  return {
    files: maker.files,
    steps: maker.steps,
    result: maker.steps.length - 1 - random.below(Math.min(3, maker.steps.length)),
    platform: random.pick(PLATFORMS),
    localUniqueId: random.word(),
    ...random.maybe("defaults", 20, () => maker.defaults()),
    ...random.maybe("caps", 40, () => random.pick([[], ["exec.meta.setsdefaultpath"]])),
  };
}

class Maker {
  readonly files: Program["files"];
  readonly steps: Step[] = [];
  readonly #results: Result[] = [];
  readonly #random: Random;
  #bound = 0;

  constructor(random: Random) {
    this.#random = random;
    this.files = [0, 1, 2].map((i) => ({
      filename: random.pick(["a", "b"]),
      language: random.pick(["", "Dockerfile"]),
      data: Buffer.from(i === 0 ? "" : random.pick(["x", "y"])).toString("base64"),
    }));
  }

  step(): void {
    const [step, result] = this.#next();
    this.steps.push(step);
    this.#results.push(result);
  }

  #next(): Made {
    const random = this.#random;
    const filled = this.#results.some(({ scratch }) => !scratch);
    if (!filled || random.chance(25)) return this.#source();
    const kinds = [() => this.#change(), () => this.#run(), () => this.#file(), () => this.#mount(), () => this.#combine()];
    return random.pick([...kinds, ...kinds.slice(1), ...kinds.slice(1)])();
  }

  /** Mostly one of the last, so that graphs get deep. */
  #any(): number {
    const last = this.#random.chance(60) ? Math.min(3, this.steps.length) : this.steps.length;
    return this.steps.length - 1 - this.#random.below(last);
  }

  /** A step whose filesystem is not the empty one. */
  #filled(): number {
    const recent = this.#any();
    return this.#isScratch(recent) ? this.#random.pick(this.#results.flatMap(({ scratch }, i) => (scratch ? [] : [i]))) : recent;
  }

  #isScratch(position: number): boolean {
    return this.#results[position]!.scratch;
  }

  /**
   * Without names and descriptions: client/llb adds those of the ops to the map of the defaults itself, so that what one op says is said by
   * all that come after it.
   */
  defaults(): Options {
    const { name: _, description: __, locations: ___, ...rest } = { ...this.options(), ...this.#resources() };
    return rest;
  }

  options(platform = false): Options {
    const random = this.#random;
    return {
      ...random.maybe("name", 30, () => random.word()),
      ...random.maybe("description", 10, () => ({ [random.word()]: random.word() })),
      ...random.maybe("ignoreCache", 10, () => true),
      ...random.maybe("exportCache", 10, () => random.chance(50)),
      ...random.maybe("group", 10, () => ({ id: random.word(), name: random.word(), weak: random.chance(50) })),
      ...random.maybe("require", 10, () => random.list(2, () => random.word())),
      ...random.maybe("locations", 20, () =>
        random.list(2, () => ({ file: random.below(3), first: random.below(9), last: random.below(9) })),
      ),
      ...(platform ? random.maybe("platform", 20, () => random.pick(PLATFORMS)) : {}),
    };
  }

  #resources(): Options {
    const number = (): string => String(this.#random.below(1 << 30));
    return this.#random.maybe("resources", 10, () => ({
      memory: number(),
      memorySwap: "-1",
      cpuShares: number(),
      cpuPeriod: number(),
      cpuQuota: number(),
      cpusetCpus: "0-3",
      cpusetMems: this.#random.word(),
    }));
  }

  #source(): Made {
    const random = this.#random;
    const options = (more: Json, platform = false): Json => ({ ...this.options(platform), ...more });
    const filled = { scratch: false };
    switch (random.below(8)) {
      case 0:
        return made({ do: "scratch" }, { scratch: true });
      case 1:
        return made({ do: "local", name: random.word(), options: options(local(random)) }, filled);
      case 2: {
        const { url, fragment, options: asked } = git(random);
        return made({ do: "git", url, fragment, options: options(asked) }, filled);
      }
      case 3: {
        const url = random.pick(["https://example.com/x", "http://e.com:80/ü?q#f", "https://u:p@h/"]);
        return made({ do: "http", url, options: options(http(random)) }, filled);
      }
      case 4: {
        const place = { session: random.word(), store: random.word(), ...random.maybe("layerLimit", 20, () => random.below(9)) };
        return made({ do: "ociLayout", ref: `x@${DIGEST}`, options: options(place, true) }, filled);
      }
      case 5: {
        const layout = random.chance(50);
        const place = layout ? { session: random.word(), store: random.word() } : {};
        const blob = { do: layout ? "ociLayoutBlob" : "imageBlob", ref: random.pick(BLOBS) };
        return made({ ...blob, options: options({ ...fileInfo(random), ...place }) }, filled);
      }
      default:
        return this.#image(options(imageOptions(random), true));
    }
  }

  #image(options: Json): Made {
    const random = this.#random;
    const resolve = random.maybe("resolve", 30, () => ({
      config: random.pick(CONFIGS),
      digest: random.pick(["", DIGEST]),
      ref: random.pick(["", "docker.io/library/other", "other:1", `other@${DIGEST}`]),
    }));
    return made({ do: "image", ref: random.pick(REFS), options, ...resolve }, { scratch: false });
  }

  #change(): Made {
    const random = this.#random;
    const later = random.chance(15);
    const state = later ? this.#filled() : this.#any();
    const change = randomChange(random);
    const other = change.kind === "reset" ? { other: this.#any() } : {};
    return made({ do: later ? "async" : "change", state, change, ...other }, { scratch: this.#isScratch(state) });
  }

  #run(): Made {
    const random = this.#random;
    const state = this.#any();
    const readonlyRoot = random.chance(15);
    const mounts = random.list(8, (i) => this.#mountJson(i));
    const scratch = readonlyRoot && this.#isScratch(state);
    const usable = mounts.flatMap(({ kind, dest, source, readonly, output }) => {
      if (kind !== "bind" && !(kind === "cache" && readonly)) return [];
      if (readonly) return [{ dest, scratch: source < 0 || this.#isScratch(source) }];
      return output === false ? [] : [{ dest, scratch: false }];
    });
    const command = random.chance(20) ? { shlex: random.pick(LINES) } : { args: [random.word(), ...random.list(3, () => random.word())] };
    return made(
      {
        do: "run",
        state,
        ...command,
        mounts,
        options: { ...this.options(true), ...this.#resources(), ...this.#runOptions(), readonlyRoot },
      },
      { scratch, mounts: [{ dest: "/", scratch }, ...usable] },
    );
  }

  #runOptions(): Json {
    const random = this.#random;
    const text = (): string => random.word();
    return {
      ...random.maybe("env", 30, () => random.list(3, (i) => [`V${i}`, random.word()])),
      ...random.maybe("dir", 30, text),
      ...random.maybe("user", 20, text),
      ...random.maybe("hostname", 20, text),
      ...random.maybe("network", 20, () => random.pick(["sandbox", "host", "none"])),
      ...random.maybe("security", 20, () => random.pick(["sandbox", "insecure"])),
      ...random.maybe("cgroupParent", 20, text),
      ...random.maybe("extraHosts", 20, () => random.list(2, () => ({ host: random.word(), ip: random.pick(IPS) }))),
      ...random.maybe("ulimits", 20, () => random.list(2, () => ({ name: random.word(), soft: -1, hard: random.below(9) }))),
      ...random.maybe("secretEnv", 20, () => random.list(2, (i) => ({ name: `S${i}`, id: random.word(), optional: random.chance(50) }))),
      ...random.maybe("devices", 20, () => random.list(2, () => ({ name: random.word(), optional: random.chance(50) }))),
      ...random.maybe("validExitCodes", 20, () => random.list(3, () => random.below(256))),
      ...random.maybe("proxy", 20, () => ({ http: random.word(), no: random.word() })),
    };
  }

  #mountJson(position: number): MountJson {
    const random = this.#random;
    const source = random.chance(20) ? -1 : this.#any();
    const dest = `/${random.pick(["a", "ä", "Z", "😀", "\uFFFD", "b/c"])}-${position}`;
    const flags = {
      ...random.maybe("selector", 30, () => random.word()),
      ...random.maybe("readonly", 30, () => random.chance(70)),
      ...random.maybe("contentCache", 20, () => random.pick(["on", "off"] as const)),
    };
    const file = { uid: random.below(3), gid: random.below(3), mode: random.below(0o1000), optional: random.chance(50) };
    switch (random.below(7)) {
      case 0:
        return { kind: "cache", dest, source, id: "an-id", sharing: random.pick(["shared", "private", "locked"]), ...flags };
      case 1:
        return { kind: "tmpfs", dest, source: -1, id: "", size: random.below(3) * 1_000_000 };
      case 2:
        return { kind: "secret", dest, source: -1, id: random.word(), ...file };
      case 3:
        return { kind: "ssh", dest: random.chance(30) ? "" : dest, source: -1, id: random.word(), ...file };
      default:
        return { kind: "bind", dest, source, id: "", output: random.chance(70), ...flags };
    }
  }

  #mount(): Made {
    const execs = this.#results.flatMap(({ mounts }, i) => (mounts === undefined ? [] : [{ state: i, mounts }]));
    if (execs.length === 0) return this.#run();
    const { state, mounts } = this.#random.pick(execs);
    const { dest, scratch } = this.#random.pick(mounts);
    return made({ do: "mount", state, dest }, { scratch });
  }

  #file(): Made {
    const state = this.#any();
    const known: ActionJson[] = [];
    const actions = [this.#action(2, known), ...this.#random.list(4, () => this.#action(2, known))];
    return made({ do: "file", state, actions, options: this.options() }, { scratch: false });
  }

  /** `depth` is how deep chains may be in each other; `known` are the copies from bound actions so far, to use one again. */
  #action(depth: number, known: ActionJson[]): ActionJson {
    const random = this.#random;
    const file = {
      ...random.maybe("owner", 30, () => random.pick(["root", "1000:1000", "me:us", ":us", "-1", "me"])),
      ...random.maybe("timestamp", 30, () => String(BigInt(random.below(1 << 30)) * 1_000_000_007n)),
    };
    const mode = random.below(0o10000);
    switch (random.below(7)) {
      case 0:
        return { kind: "mkfile", path: random.word(), data: Buffer.from(random.word()).toString("base64"), mode, ...file };
      case 1:
        return { kind: "mkdir", path: random.word(), mode, makeParents: random.chance(50), ...file };
      case 2:
        return { kind: "rm", path: random.word(), allowNotFound: random.chance(50), allowWildcard: random.chance(50) };
      case 3:
        return { kind: "symlink", oldpath: random.word(), newpath: random.word(), ...file };
      default:
        return { kind: "copy", ...this.#copySource(depth, known), ...this.#copyOptions(), ...file };
    }
  }

  #copySource(depth: number, known: ActionJson[]): Pick<ActionJson, "source" | "bound" | "boundId"> {
    const random = this.#random;
    const source = this.#any();
    if (depth === 0 || random.chance(70)) return { source };
    const again = known.length > 0 && random.chance(40) ? random.pick(known) : undefined;
    if (again !== undefined) return { source: again.source!, bound: again.bound!, boundId: again.boundId! };
    const bound = [this.#action(depth - 1, known), ...random.list(2, () => this.#action(depth - 1, known))];
    const chain = { source, bound, boundId: ++this.#bound };
    known.push({ kind: "copy", ...chain });
    return chain;
  }

  #copyOptions(): Partial<ActionJson> {
    const random = this.#random;
    const flag = (name: string) => random.maybe(name, 40, () => random.chance(80));
    const words = (): string[] => random.list(2, () => random.word());
    return {
      src: random.word(),
      dest: random.word(),
      include: words(),
      exclude: words(),
      requiredPaths: words(),
      ...random.maybe("mode", 30, () => random.below(0o10000)),
      ...random.maybe("modeStr", 20, () => "u+x"),
      ...flag("followSymlinks"),
      ...flag("dirCopyContents"),
      ...flag("attemptUnpack"),
      ...flag("createDestPath"),
      ...flag("allowWildcard"),
      ...flag("allowEmptyWildcard"),
      ...flag("alwaysReplaceExistingDestPaths"),
    };
  }

  #combine(): Made {
    const random = this.#random;
    const options = this.options();
    switch (random.below(6)) {
      case 0:
      case 1: {
        const states = random.list(4, () => this.#any());
        return made({ do: "merge", states, options }, { scratch: states.every((state) => this.#isScratch(state)) });
      }
      case 2: {
        const [state, other] = [this.#any(), this.#any()];
        return made({ do: "diff", state, other, options }, { scratch: this.#isScratch(state) && this.#isScratch(other) });
      }
      case 3: {
        const step = { do: "build", state: this.#filled(), name: random.word(), options: { ...options, ...this.options(true) } };
        return made(step, { scratch: false });
      }
      case 4:
        return this.#waiting(options);
      default: {
        const state = this.#any();
        return made({ do: "definition", state }, { scratch: this.#isScratch(state) });
      }
    }
  }

  #waiting(options: Options): Made {
    const random = this.#random;
    const filled = { scratch: false };
    if (random.chance(50)) {
      const states = random.list(3, () => this.#any());
      return made({ do: "requires", state: this.#filled(), id: "an-id", states }, filled);
    }
    const states = [this.#filled(), ...random.list(3, () => this.#filled())];
    const outputs = states.map((_, i) => i === 0 || random.chance(50));
    const pick = random.below(outputs.filter((output) => output).length);
    return made({ do: "passthrough", id: "an-id", states, outputs, pick, options }, filled);
  }
}
