// Which image of several fits a platform: the same rules as containerd, for the variants that images have in practice.
import { arch } from "node:os";

/** As OCI images name platforms, e.g. { os: "linux", architecture: "arm", variant: "v7" }. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

const architectures: Readonly<Record<string, string>> = {
  x64: "amd64",
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  ia32: "386",
  i386: "386",
  i686: "386",
  armhf: "arm",
  armel: "arm",
};

/** The platform of containers on this machine. */
export function hostPlatform(): Platform {
  return normalize({ os: "linux", architecture: arch() });
}

/** One spelling for each platform: the usual variant of an architecture is left out, but for 32 bit ARM, which has v7. */
export function normalize({ os, architecture, variant }: Platform): Platform {
  const lower = architecture.toLowerCase();
  const name = architectures[lower] ?? lower;
  const usual = name === "arm64" ? "v8" : name === "amd64" ? "v1" : "";
  const kept = name === "arm" ? (variant ?? (lower === "armel" ? "v6" : "v7")) : variant === usual ? undefined : variant;
  return { os: os.toLowerCase(), architecture: name, ...(kept === undefined || kept === "" ? {} : { variant: kept }) };
}

/** As people write it: `linux/amd64`, `linux/arm/v7`. */
export function platformName({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((part) => part !== undefined && part !== "").join("/");
}

/** Of the candidates, the one that runs best on `wanted`: the same variant, else the newest older one. Undefined when none runs there. */
export function bestMatch<T extends { readonly platform: Platform }>(candidates: readonly T[], wanted: Platform): T | undefined {
  const target = normalize(wanted);
  const level = (platform: Platform): number => variantLevel(normalize(platform));
  return candidates
    .filter(({ platform }) => {
      const { os, architecture } = normalize(platform);
      return os === target.os && architecture === target.architecture && level(platform) <= level(target);
    })
    .sort((a, b) => level(b.platform) - level(a.platform))[0];
}

function variantLevel({ architecture, variant }: Platform): number {
  const usual = architecture === "arm64" ? 8 : architecture === "arm" ? 7 : 1;
  const parsed = /^v(\d+)$/.exec(variant ?? "")?.[1];
  return parsed === undefined ? usual : Number(parsed);
}
