// Platforms as containerd names and normalises them.
import type { Platform as PbPlatform } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Platform } from "../graph/vertex.ts";
import { compareUtf8 } from "./wire.ts";

export function toPbPlatform({ os, architecture, variant, osVersion, osFeatures }: Platform): PbPlatform {
  return { OS: os, Architecture: architecture, Variant: variant ?? "", OSVersion: osVersion ?? "", OSFeatures: [...(osFeatures ?? [])] };
}

export function fromPbPlatform({ OS, Architecture, Variant, OSVersion, OSFeatures }: PbPlatform): Platform {
  return { os: OS, architecture: Architecture, ...details({ variant: Variant, osVersion: OSVersion, osFeatures: OSFeatures }) };
}

/** The one spelling of a platform: `x86_64` is `amd64`, `armhf` is `arm` with `v7`, `arm64` has no variant unless above `v8`. */
export function normalizePlatform({ os, architecture, variant = "", osVersion = "", osFeatures = [] }: Platform): Platform {
  const [arch, rest] = normalizeArchitecture(architecture.toLowerCase(), variant.toLowerCase());
  const lower = os.toLowerCase();
  const features = [...new Set(osFeatures)].sort(compareUtf8);
  return {
    os: lower === "macos" ? "darwin" : lower,
    architecture: arch,
    ...details({ variant: rest, osVersion, osFeatures: features }),
  };
}

/** The optional fields of a platform that say something. */
function details({ variant, osVersion, osFeatures }: Required<Omit<Platform, "os" | "architecture">>): Partial<Platform> {
  return {
    ...(variant === "" ? {} : { variant }),
    ...(osVersion === "" ? {} : { osVersion }),
    ...(osFeatures.length === 0 ? {} : { osFeatures }),
  };
}

/** `os/architecture[/variant]`. */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return variant ? `${os}/${architecture}/${variant}` : `${os}/${architecture}`;
}

/**
 * Reads `linux/arm64`, `linux/arm/v7`, or one part of it alone as `arm64` or `linux`; what is missing comes from `host`.
 * undefined when it is none of these.
 */
export function parsePlatform(text: string, host: Platform): Platform | undefined {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) return undefined;
  const [first = "", second, variant] = parts;
  if (second !== undefined) return normalizePlatform({ os: first, architecture: second, ...(variant === undefined ? {} : { variant }) });
  const alone = normalizePlatform({ os: first, architecture: first });
  if (SYSTEMS.has(alone.os)) return { ...normalizePlatform(host), os: alone.os };
  if (!ARCHITECTURES.has(alone.architecture)) return undefined;
  return { ...alone, os: normalizePlatform(host).os };
}

const SYSTEMS: ReadonlySet<string> = new Set(
  "aix android darwin dragonfly freebsd illumos ios js linux netbsd openbsd plan9 solaris windows".split(" "),
);
const ARCHITECTURES: ReadonlySet<string> = new Set(
  "386 amd64 arm arm64 loong64 mips mipsle mips64 mips64le ppc ppc64 ppc64le riscv riscv64 s390 s390x wasm".split(" "),
);

function normalizeArchitecture(architecture: string, variant: string): [architecture: string, variant: string] {
  switch (architecture) {
    case "i386":
      return ["386", ""];
    case "x86_64":
    case "x86-64":
    case "amd64":
      return ["amd64", variant === "v1" ? "" : variant];
    case "aarch64":
    case "arm64":
      if (["8", "v8", "v8.0"].includes(variant)) return ["arm64", ""];
      return ["arm64", ["9", "9.0", "v9.0"].includes(variant) ? "v9" : variant];
    case "armhf":
      return ["arm", "v7"];
    case "armel":
      return ["arm", "v6"];
    case "arm":
      if (variant === "" || variant === "7") return ["arm", "v7"];
      return ["arm", ["5", "6", "8"].includes(variant) ? `v${variant}` : variant];
    default:
      return [architecture, variant];
  }
}
