// The last words of a run: what was saved, how many passes and steps there were, how long it took.
import type { UpResult } from "../../engine/index.ts";
import { hookText } from "./hook.ts";
import { clean } from "./lines.ts";
import { passReason } from "./pass.ts";
import type { Style } from "./style.ts";
import { triggerText } from "./trigger.ts";
import { bytes, duration, plural } from "./units.ts";

/** Lines for people, ending with a newline. */
export function formatSummary(result: UpResult, style: Style): string {
  const lines = result.saved.map(
    ({ path, dest, files, bytes: size }) =>
      `${style.green("saved")} ${dest} ${style.dim(`(${plural(files, "file")}, ${bytes(size)}, from ${path})`)}`,
  );
  for (const { path, ref, digest, platforms, dest } of result.images) {
    if (dest === undefined)
      lines.push(`${style.green("pushed")} ${ref} ${style.dim(`(${[digest, ...platforms].join(", ")}, from ${path})`)}`);
    else lines.push(`${style.green("saved")} ${dest} ${style.dim(`(${ref}, from ${path})`)}`);
  }
  result.passes.forEach((pass, index) => {
    if (index > 0) lines.push(style.dim(`pass ${index + 1} was needed because ${passReason(pass)}`));
  });
  for (const hook of result.hooks ?? [])
    lines.push(
      `${hook.state === "done" ? style.green("hook") : style.red("hook failed:")} ${clean(hook.path)} ${style.dim(`(${hookText(hook)})`)}`,
    );
  for (const one of result.waiting ?? [])
    lines.push(`${style.yellow("waits")} ${clean(one.path)} ${style.dim(`(${clean(triggerText(one))})`)}`);
  const { total, cached, run } = result.steps;
  const passes = plural(result.passes.length, "pass", "passes");
  lines.push(style.bold(`${passes}, ${plural(total, "step")}: ${cached} cached, ${run} run, ${duration(result.ms)}`));
  return `${lines.join("\n")}\n`;
}
