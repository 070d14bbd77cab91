// Random graphs, each wholly decided by its seed.
import type {
  Chown,
  ExecVertex,
  FileAction,
  Mount,
  Output,
  Platform,
  Ref,
  SourceVertex,
  Vertex,
  VertexMeta,
} from "../../compiler/graph/vertex.ts";
import { execOutputCount, imageAttrs, localAttrs, ociLayoutAttrs } from "../../compiler/llb/index.ts";
import type { Case } from "./graph.ts";
import { Random } from "./seeded.ts";
import { AMD64, ARM_V7, ARM64, bind, cache, copy, exec, file, mkdir, mkfile, secret, ssh } from "./shorthand.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const PLATFORMS: readonly Platform[] = [
  AMD64,
  ARM64,
  ARM_V7,
  { os: "windows", architecture: "amd64" },
  { os: "linux", architecture: "amd64", variant: "v3" },
];

export function randomCase(seed: number): Case {
  const random = new Random(seed);
  const vertices: Vertex[] = [];
  const size = 1 + random.below(25);
  for (let i = 0; i < size; i++) vertices.push(randomVertex(random, vertices));
  const caps = random.pick([undefined, undefined, new Set<string>(), new Set(["exec.meta.setsdefaultpath"])]);
  return {
    title: `seed ${seed}`,
    terminal: output(random, vertices),
    options: { platform: random.pick(PLATFORMS), localUniqueId: random.word(), ...(caps ? { caps } : {}) },
  };
}

function randomVertex(random: Random, vertices: readonly Vertex[]): Vertex {
  const common = { meta: randomMeta(random), ...random.maybe("workerFilters", 10, () => random.list(2, () => random.word())) };
  if (vertices.length === 0 || random.chance(20)) return { ...randomSource(random), ...common };
  const any = (): Output => output(random, vertices);
  const ref = (): Ref => (random.chance(15) ? null : any());
  switch (random.below(6)) {
    case 0:
    case 1:
      return { ...randomExec(random, ref), ...common };
    case 2:
    case 3:
      return { ...file(ref(), randomAction(random, ref), ...random.list(4, () => randomAction(random, ref))), ...common };
    case 4:
      return random.chance(50)
        ? { kind: "merge", ...common, inputs: [any(), any(), ...random.list(3, any)] }
        : { kind: "diff", ...common, lower: ref(), upper: ref() };
    default:
      return { kind: "build", ...common, from: any(), ...random.maybe("filename", 50, () => random.word()) };
  }
}

function output(random: Random, vertices: readonly Vertex[]): Output {
  const usable = vertices.filter((vertex) => vertex.kind !== "exec" || execOutputCount(vertex) > 0);
  const vertex = random.pick(usable);
  return { vertex, index: vertex.kind === "exec" ? random.below(execOutputCount(vertex)) : 0 };
}

function randomMeta(random: Random): VertexMeta {
  return {
    name: random.word(),
    component: random.chance(50) ? random.word() : "",
    at: random.list(2, () => ({ file: random.word(), line: random.below(300), column: random.below(100) })),
    ...random.maybe("ignoreCache", 10, () => random.chance(50)),
    ...random.maybe("exportCache", 10, () => random.chance(50)),
    ...random.maybe("description", 10, () => ({ [random.word()]: random.word() })),
  };
}

function randomSource(random: Random): Omit<SourceVertex, "meta"> {
  const patterns = () => random.list(3, () => random.word());
  const platform = random.maybe("platform", 50, () => random.pick(PLATFORMS));
  switch (random.below(5)) {
    case 0: {
      const options = random.maybe("layerLimit", 20, () => random.below(9));
      const attrs = imageAttrs({ ...options, resolveMode: random.pick(["default", "pull", "local"]) });
      return { kind: "source", identifier: `docker-image://docker.io/library/a:${random.below(4)}`, attrs, ...platform };
    }
    case 1:
      return {
        kind: "source",
        identifier: `local://${random.word()}`,
        attrs: localAttrs({ include: patterns(), exclude: patterns(), followPaths: patterns(), sharedKeyHint: random.word() }),
      };
    case 2:
      return {
        kind: "source",
        identifier: `oci-layout://x@${DIGEST}`,
        attrs: ociLayoutAttrs({ session: random.word(), store: random.word() }),
        ...platform,
      };
    case 3:
      return {
        kind: "source",
        identifier: "https://example.com/x",
        attrs: {
          ...random.maybe("http.checksum", 50, () => DIGEST),
          ...random.maybe("http.uid", 30, () => String(1 + random.below(9))),
          ...random.maybe("http.perm", 30, () => "0644"),
        },
      };
    default:
      return {
        kind: "source",
        identifier: "git://example.com/r#main:dir",
        attrs: {
          "git.fullurl": "https://example.com/r",
          "git.authtokensecret": random.pick(["GIT_AUTH_TOKEN", "T"]),
          "git.authheadersecret": "GIT_AUTH_HEADER",
          ...random.maybe("git.keepgitdir", 30, () => "true"),
        },
      };
  }
}

function randomExec(random: Random, ref: () => Ref): ExecVertex {
  const text = () => random.word();
  return exec(ref(), {
    args: [random.word(), ...random.list(3, text)],
    env: random.list(5, () => [random.pick(["A", "B", "PATH", "SSH_AUTH_SOCK"]), random.word()]),
    cwd: random.pick(["/", "/src", "/ä/../b"]),
    user: random.word(),
    extraHosts: random.list(2, () => ({ host: random.word(), ip: random.pick(["1.2.3.4", "::1"]) })),
    network: random.pick(["sandbox", "host", "none"]),
    insecure: random.chance(20),
    validExitCodes: random.list(2, () => random.below(300) - 10),
    ulimits: random.list(2, () => ({ name: random.word(), soft: random.below(9) - 1, hard: random.below(1 << 30) })),
    devices: random.list(1, () => ({ name: random.word(), optional: random.chance(50) })),
    secretEnv: random.list(2, () => ({ id: random.word(), name: random.word(), optional: random.chance(50) })),
    // Up to 11 mounts: beyond, Go does not promise an order for equal destinations.
    mounts: random.list(10, (i) => randomMount(random, ref, i)),
    platform: random.pick(PLATFORMS),
    ...random.maybe("hostname", 30, text),
    ...random.maybe("cgroupParent", 20, text),
    ...random.maybe("rootReadonly", 20, () => random.chance(70)),
    ...random.maybe("proxy", 20, () => ({ http: random.word(), https: "", ftp: random.word(), no: "", all: "" })),
  });
}

function randomMount(random: Random, ref: () => Ref, position: number): Mount {
  const unique = `/${random.pick(["a", "ä", "Z", "😀", "\uFFFD", "b/c"])}${random.below(20)}-${position}`;
  const file = { uid: random.below(3), gid: random.below(3), mode: random.below(0o1000), optional: random.chance(50), id: random.word() };
  switch (random.below(7)) {
    case 0:
      return cache(unique, {
        from: ref(),
        selector: random.word(),
        sharing: random.pick(["shared", "private", "locked"]),
        ...random.maybe("readonly", 30, () => random.chance(50)),
      });
    case 1:
      return { kind: "tmpfs", dest: unique, size: random.below(3) * 1_000_000 };
    case 2:
      return secret(unique, file);
    case 3:
      return ssh(random.chance(30) ? "" : unique, file);
    default:
      return bind(unique, ref(), {
        readonly: random.chance(30),
        output: random.chance(70),
        selector: random.chance(30) ? random.word() : "",
        ...random.maybe("contentCache", 20, () => random.pick(["on", "off"] as const)),
      });
  }
}

function randomAction(random: Random, ref: () => Ref): FileAction {
  const flag = () => random.chance(40);
  const made = {
    ...random.maybe("chown", 30, () => randomChown(random)),
    ...random.maybe("timestamp", 30, () => BigInt(random.below(1 << 30)) * 1_000_000_007n),
  };
  const words = () => random.list(2, () => random.word());
  switch (random.below(6)) {
    case 0:
      return mkfile(random.word(), random.word(), { mode: random.below(0o10000), ...made });
    case 1:
      return mkdir(random.word(), { mode: random.below(0o10000), makeParents: flag(), ...made });
    case 2:
      return { kind: "rm", path: random.word(), allowNotFound: flag(), allowWildcard: flag() };
    case 3:
      return { kind: "symlink", oldpath: random.word(), newpath: random.word(), ...made };
    default:
      return copy(ref(), {
        src: random.word(),
        dest: random.word(),
        followSymlinks: flag(),
        dirCopyContents: flag(),
        attemptUnpack: flag(),
        createDestPath: flag(),
        allowWildcard: flag(),
        allowEmptyWildcard: flag(),
        alwaysReplaceExistingDestPaths: flag(),
        include: words(),
        exclude: words(),
        requiredPaths: words(),
        ...random.maybe("mode", 30, () => random.below(0o10000)),
        ...random.maybe("modeStr", 20, () => "u+x"),
        ...made,
      });
  }
}

function randomChown(random: Random): Chown {
  const owner = () => (random.chance(50) ? { id: random.below(70000) } : { name: random.word() });
  return { ...random.maybe("user", 70, owner), ...random.maybe("group", 70, owner) };
}
