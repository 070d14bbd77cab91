// dagger history rerun and resume: runs that are done again.
import type { AgainRequest, UpResult } from "../../engine/index.ts";
import type { Context, OutputFormat, RunFlags } from "../context.ts";
import { daemonOf, surroundings } from "../context.ts";
import { printResult, withProgress } from "./up.ts";

export type AgainFlags = Pick<
  RunFlags,
  | "buildkit"
  | "tlsdir"
  | "tlscacert"
  | "tlscert"
  | "tlskey"
  | "tlsservername"
  | "secret"
  | "allowHost"
  | "ssh"
  | "cacheFrom"
  | "cacheTo"
  | "supersede"
  | "progress"
> & { readonly output: OutputFormat };

export async function rerunCommand(context: Context, wanted: string, flags: AgainFlags): Promise<void> {
  const { rerun } = await engine();
  await doAgain(context, flags, (request) => rerun(request, wanted));
}

export async function resumeCommand(context: Context, wanted: string, flags: AgainFlags): Promise<void> {
  const { resume } = await engine();
  await doAgain(context, flags, (request) => resume(request, wanted));
}

const engine = async () => (await import("../../engine/index.ts")).loadHistory();

async function doAgain(context: Context, flags: AgainFlags, run: (request: AgainRequest) => Promise<UpResult>): Promise<void> {
  const { io, signal } = context;
  const result = await withProgress(context, flags, (progress) =>
    run({
      ...surroundings(context),
      ...daemonOf(flags),
      secrets: flags.secret ?? [],
      ssh: flags.ssh ?? [],
      allowHost: flags.allowHost === true,
      cacheFrom: flags.cacheFrom ?? [],
      cacheTo: flags.cacheTo ?? [],
      supersede: flags.supersede === true,
      signal,
      onEvent: (event) => progress.event(event),
      onNotice: (text) => io.stderr.write(`${text}\n`),
    }),
  );
  await printResult(context, flags, result);
}
