// Random programs, each wholly decided by its seed: every operation and option of the library, in any order.
import { parseGitUrl } from "../../compiler/llb/index.ts";
import type { Platform } from "../../compiler/llb/library/index.ts";
import type { ActionJson, Change, Json, MountJson, Options, Program, Step } from "./program.ts";
import { Random } from "./seeded.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const PLATFORMS: readonly Platform[] = [
  { os: "linux", architecture: "amd64" },
  { os: "linux", architecture: "arm64" },
  { os: "Linux", architecture: "aarch64", variant: "v8" },
  { os: "linux", architecture: "armhf" },
  { os: "linux", architecture: "amd64", variant: "v1" },
  { os: "windows", architecture: "amd64", osVersion: "10.0.17763.1", osFeatures: ["win32k", "a", "win32k"] },
  { os: "darwin", architecture: "x86_64" },
];
const IPS = [
  "1.2.3.4",
  "::1",
  "2001:DB8:0:0:1:0:0:1",
  "::ffff:1.2.3.4",
  "1:0:0:2:0:0:0:3",
  "::",
  "1::",
  "1:2:3:4:5:6:7::",
  "64:ff9b::1.2.3.4",
];
const FRAGMENTS = ["", "main", "main:sub/../x", ":dir", "v1:", "a:b:c", "refs/heads/ü:/x y/", "%41", "ab12:."];
const REFS = ["debian", "debian:12", "me/tool", "a.b:1/c/d:e", `debian@${DIGEST}`, `debian:12@${DIGEST}`];
const BLOBS = [`debian@${DIGEST}`, `a.b:1/c@${DIGEST}`];
const LINES = ["make all", `sh -c 'a "b" \\c'`, 'a "b\\"c" d\\ e', "a # b", "a#b ''", "\ta\n#c\n b"];
const CONFIGS = [
  {},
  { config: null },
  { os: "linux", architecture: "arm", config: { Env: ["A=b", "=x", "A=c=d", "B"], WorkingDir: "/w/../x" } },
  { os: "windows", architecture: "amd64", "os.version": "10.0", "os.features": ["b", "a", "b"], config: { WorkingDir: "rel" } },
  { os: "linux", architecture: "arm64", variant: "v8", config: { Env: null, WorkingDir: "" } },
  { os: "linux", config: { Env: ["PATH=/x"] } },
].map((config) => JSON.stringify(config));

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
        return made({ do: "local", name: random.word(), options: options(this.#local()) }, filled);
      case 2:
        return made({ do: "git", ...this.#git() }, filled);
      case 3: {
        const url = random.pick(["https://example.com/x", "http://e.com:80/ü?q#f", "https://u:p@h/"]);
        return made({ do: "http", url, options: options(this.#http()) }, filled);
      }
      case 4: {
        const place = { session: random.word(), store: random.word(), ...random.maybe("layerLimit", 20, () => random.below(9)) };
        return made({ do: "ociLayout", ref: `x@${DIGEST}`, options: options(place, true) }, filled);
      }
      case 5: {
        const layout = random.chance(50);
        const place = layout ? { session: random.word(), store: random.word() } : {};
        const blob = { do: layout ? "ociLayoutBlob" : "imageBlob", ref: random.pick(BLOBS) };
        return made({ ...blob, options: options({ ...this.#fileInfo(), ...place }) }, filled);
      }
      default:
        return this.#image(options(this.#imageOptions(), true));
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

  #imageOptions(): Json {
    const random = this.#random;
    return {
      ...random.maybe("resolveMode", 50, () => random.pick(["default", "pull", "local"])),
      ...random.maybe("layerLimit", 20, () => random.below(9)),
      ...random.maybe("checksum", 20, () => DIGEST),
      ...random.maybe("internal", 20, () => random.chance(50)),
      ...random.maybe("resolveDigest", 50, () => random.chance(50)),
    };
  }

  #local(): Json {
    const random = this.#random;
    const patterns = (): string[] => random.list(3, () => random.word());
    return {
      include: patterns(),
      exclude: patterns(),
      followPaths: patterns(),
      sharedKeyHint: random.word(),
      ...random.maybe("session", 20, () => random.word()),
      ...random.maybe("uniqueId", 20, () => "of this one"),
      ...random.maybe("differ", 30, () => ({ type: random.pick(["none", "metadata"]), required: random.chance(50) })),
      ...random.maybe("metadataOnly", 20, () => random.maybe("except", 60, patterns)),
    };
  }

  #git(): Omit<Step, "do"> {
    const random = this.#random;
    const url = this.#gitUrl();
    const secret = (): string => random.pick(["", "T", "GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"]);
    const flag = (name: string) => random.maybe(name, 20, () => random.chance(50));
    const options = {
      ...this.options(),
      // Without them the official library would ask the host.
      knownHosts: ["h ssh-ed25519 A", ...random.list(2, () => random.pick(["x\n", "y", "\n"]))],
      ...random.maybe("ref", 30, () => random.pick(["main", "ü", "a:b"])),
      ...random.maybe("subdir", 30, () => random.pick(["a/b", "/x/", "../y"])),
      ...random.maybe("authToken", 30, secret),
      ...random.maybe("authHeader", 30, secret),
      ...random.maybe("ssh", 30, () => random.word()),
      ...random.maybe("checksum", 20, () => "abcdef"),
      ...random.maybe("mtime", 20, () => random.pick(["checkout", "commit"])),
      ...random.maybe("bundle", 20, () => `docker-image+blob://x@${DIGEST}`),
      ...flag("keepGitDir"),
      ...flag("skipSubmodules"),
      ...flag("fetchByCommit"),
      ...flag("checkoutBundle"),
    };
    return { url, fragment: random.pick(FRAGMENTS), options };
  }

  /** Any form that git takes; those that the library refuses are tried again. */
  #gitUrl(): string {
    const random = this.#random;
    for (;;) {
      const user = random.pick(["", "", "git@", "a:b@", "a%40b:c%2F@", "ü@", "a:@"]);
      const host = random.pick(["h", "H.example", "h:22", "[::1]", "[::1]:8080", "1.2.3.4"]);
      const path = random.pick([
        "",
        "/",
        "/r.git",
        "//a//b/",
        "/a/../b",
        "/~u/r",
        "/a%20b",
        "/ü",
        "/a b",
        "/%2e%2e/x",
        "/a+b;c,d@e",
        "/(x)[y]*",
      ]);
      const scp = `git@h.example:${random.pick(["r.git", "/abs/r", "a/../b", "ü x", ""])}`;
      const scheme = random.pick(["https", "http", "ssh", "git", "HTTPS"]);
      const url = random.pick([scp, `${host}${path}`, `${scheme}://${user}${host}${path}`, `${scheme}://${user}${host}${path}?a=b`]);
      if (parseGitUrl(url).ok) return url;
    }
  }

  #http(): Json {
    const random = this.#random;
    const text = (): string => random.word();
    return {
      ...this.#fileInfo(),
      ...random.maybe("checksum", 30, () => DIGEST),
      ...random.maybe("authHeader", 20, text),
      ...random.maybe("accept", 20, text),
      ...random.maybe("userAgent", 20, text),
      ...random.maybe("signature", 20, () => ({ pubKey: random.word(), signature: random.word() })),
    };
  }

  #fileInfo(): Json {
    const random = this.#random;
    return {
      ...random.maybe("filename", 30, () => random.word()),
      ...random.maybe("mode", 30, () => random.below(0o10000)),
      ...random.maybe("uid", 30, () => random.below(3)),
      ...random.maybe("gid", 30, () => random.below(3)),
    };
  }

  #change(): Made {
    const random = this.#random;
    const later = random.chance(15);
    const state = later ? this.#filled() : this.#any();
    const change = this.#randomChange();
    const other = change.kind === "reset" ? { other: this.#any() } : {};
    return made({ do: later ? "async" : "change", state, change, ...other }, { scratch: this.#isScratch(state) });
  }

  #randomChange(): Change {
    const random = this.#random;
    const word = random.word();
    switch (random.below(14)) {
      case 0:
        return { kind: "user", value: word };
      case 1:
        return { kind: "hostname", value: word };
      case 2:
        return { kind: "platform", platform: random.pick(PLATFORMS) };
      case 3:
        return { kind: "network", value: random.pick(["sandbox", "host", "none"]) };
      case 4:
        return { kind: "security", value: random.pick(["sandbox", "insecure"]) };
      case 5:
        return { kind: "cgroupParent", value: word };
      case 6:
        return { kind: "extraHost", name: word, value: random.pick(IPS) };
      case 7:
        return { kind: "ulimit", name: word, soft: random.below(9) - 1, hard: random.below(1 << 30) };
      case 8:
        return { kind: "imageConfig", value: random.pick(CONFIGS) };
      case 9:
      case 10:
        return { kind: "reset" };
      case 11:
        return { kind: "dir", value: word };
      default:
        return { kind: "env", name: random.pick(["A", "B", "PATH", "SSH_AUTH_SOCK"]), value: word };
    }
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
