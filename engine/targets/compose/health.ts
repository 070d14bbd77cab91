// When Compose takes a daemon for ready: its readiness as a health check, asked in its own container.
import { about, type TargetNode, type Told } from "../target.ts";
import { plain } from "./text.ts";

/** Undefined where nothing says when it is ready, or only its output does. */
export function healthcheck(node: TargetNode, told: Told): object | undefined {
  const ready = node.daemon?.ready;
  if (ready === undefined) return undefined;
  if (ready.kind === "log") {
    told.loss(about(node, "target-loss", `${node.path} counts as ready when it runs: Compose does not look at its output`));
    return undefined;
  }
  // What fails while it starts is not counted.
  const times = {
    interval: `${Math.max(1, Math.ceil(ready.interval / 1000))}s`,
    start_period: `${Math.ceil(ready.timeout / 1000)}s`,
    retries: 3,
  };
  return {
    test: ready.kind === "command" ? ["CMD", ...ready.what.map(plain)] : ["CMD-SHELL", plain(question(ready.kind, ready.what))],
    ...times,
  };
}

/** In a shell, by what images have for it. */
function question(kind: "http" | "tcp", what: string): string {
  if (kind === "http") return `wget -q -O /dev/null '${what}' || curl -fsS -o /dev/null '${what}'`;
  const colon = what.lastIndexOf(":");
  return `nc -z ${what.slice(0, colon).replace(/^\[|\]$/g, "")} ${what.slice(colon + 1)}`;
}
