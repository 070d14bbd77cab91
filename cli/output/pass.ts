// Why a run took a further pass, in words.
import type { UpResult } from "../../engine/index.ts";

/** `CUE uses app.version`, `build ran on this machine`. */
export function passReason({ because, hosts = [] }: UpResult["passes"][number]): string {
  const values = because.length > 0 || hosts.length === 0 ? [`CUE uses ${because.join(", ") || "computed values"}`] : [];
  const ran = hosts.length === 0 ? [] : [`${hosts.map((path) => path || "the config").join(", ")} ran on this machine`];
  return [...values, ...ran].join(", and ");
}
