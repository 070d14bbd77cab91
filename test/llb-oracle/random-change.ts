// Random changes of what a state hands on, for random programs.
import type { Platform } from "../../compiler/llb/library/index.ts";
import type { Change } from "./program.ts";
import type { Random } from "./seeded.ts";

export const PLATFORMS: readonly Platform[] = [
  { os: "linux", architecture: "amd64" },
  { os: "linux", architecture: "arm64" },
  { os: "Linux", architecture: "aarch64", variant: "v8" },
  { os: "linux", architecture: "armhf" },
  { os: "linux", architecture: "amd64", variant: "v1" },
  { os: "windows", architecture: "amd64", osVersion: "10.0.17763.1", osFeatures: ["win32k", "a", "win32k"] },
  { os: "darwin", architecture: "x86_64" },
];
export const IPS: readonly string[] = [
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
/** OCI image configs, JSON. */
export const CONFIGS: readonly string[] = [
  {},
  { config: null },
  { os: "linux", architecture: "arm", config: { Env: ["A=b", "=x", "A=c=d", "B"], WorkingDir: "/w/../x" } },
  { os: "windows", architecture: "amd64", "os.version": "10.0", "os.features": ["b", "a", "b"], config: { WorkingDir: "rel" } },
  { os: "linux", architecture: "arm64", variant: "v8", config: { Env: null, WorkingDir: "" } },
  { os: "linux", config: { Env: ["PATH=/x"] } },
].map((config) => JSON.stringify(config));

export function randomChange(random: Random): Change {
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
