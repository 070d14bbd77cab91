// dagger init and dagger clone.

import type { KeptTokens, Tokens } from "../../engine/index.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { UsageError } from "../failure.ts";
import { wantsColour } from "../io.ts";
import { formatWarning } from "../output/errors.ts";
import { clean } from "../output/lines.ts";
import { createStyle } from "../output/style.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { readHidden } from "../prompt.ts";

export interface TokenFlags {
  readonly githubToken?: string;
  readonly dockerToken?: string;
}

export interface CloneFlags extends TokenFlags {
  readonly output: OutputFormat;
}

export interface InitFlags extends TokenFlags {
  readonly template?: string;
  readonly templates?: boolean;
  readonly output: OutputFormat;
}

export async function initCommand(context: Context, dir: string, flags: InitFlags): Promise<void> {
  const { initWorkspace, listTemplates } = await (await import("../../engine/index.ts")).loadStacks();
  const { stdout, stderr } = context.io;
  if (flags.templates === true) {
    const templates = await listTemplates();
    stdout.write(flags.output === "json" ? formatJson(templates) : formatTable(templates.map(({ name, about }) => [name, about])));
    return;
  }
  const { template } = flags;
  const tokens = await tokensOf(context, flags);
  const { workspace, files, inside } = await initWorkspace({
    ...surroundings(context),
    dir,
    ...(template === undefined ? {} : { template }),
  });
  const kept = await keep(context, workspace.root, tokens);
  if (flags.output === "json") stdout.write(formatJson({ root: workspace.root, files, ...(inside === undefined ? {} : { inside }) }));
  else {
    stdout.write(`${clean(workspace.root)} is a workspace now\n`);
    for (const file of files) stdout.write(`  ${clean(file)}\n`);
    tellTokens(context, kept);
  }
  if (inside !== undefined) stderr.write(`It lies in the workspace ${clean(inside)}: from here on down this one is found, not that one\n`);
}

export async function cloneCommand(context: Context, repository: string, dir: string | undefined, flags: CloneFlags): Promise<void> {
  const { cloneWorkspace } = await (await import("../../engine/index.ts")).loadStacks();
  const tokens = await tokensOf(context, flags);
  const where = dir === undefined ? {} : { dir };
  const done = await cloneWorkspace({ ...surroundings(context), repository, ...where, tokens, signal: context.signal });
  const { stdout } = context.io;
  if (flags.output === "json") return stdout.write(formatJson(done));
  stdout.write(`${clean(done.root)} is a workspace now\n`);
  if (done.sources.length > 0)
    stdout.write(`It has ${plural(done.sources.length, "source")}; see what they have with dagger source refresh\n`);
  tellTokens(context, done);
}

async function keep(context: Context, cwd: string, tokens: Tokens): Promise<KeptTokens> {
  if (Object.keys(tokens).length === 0) return { connectors: [] };
  const { keepTokens } = await (await import("../../engine/index.ts")).loadConnectors();
  return keepTokens({ ...surroundings(context), cwd }, tokens);
}

function tellTokens({ io }: Context, { connectors, madeKey }: KeptTokens): void {
  for (const name of connectors) io.stdout.write(`Added the connector ${name}\n`);
  if (madeKey !== undefined) io.stderr.write(`Made a key for you in ${madeKey}: keep a copy of it, without it nobody reads the secrets\n`);
}

/** Other users of this machine see the arguments of programs, and shells remember them. */
async function tokensOf(context: Context, { githubToken, dockerToken }: TokenFlags): Promise<Tokens> {
  const { io } = context;
  if (githubToken === "-" && dockerToken === "-") {
    throw new UsageError({
      code: "conflicting-flags",
      message: "Only one token can come from stdin",
      at: [],
      hint: "Give the other one as env:NAME",
    });
  }
  const read = async (flag: string, text: string): Promise<string> => {
    if (text === "-") return Buffer.from(await readHidden(`${flag}: `, context)).toString("utf8");
    if (!/(^|:)(env|file|cmd|vault):/.test(text)) {
      const warning = `Others may have seen the value of ${flag} on the command line; - takes it from stdin, env:NAME from a variable`;
      io.stderr.write(
        formatWarning({ code: "token-visible", message: warning, detail: [], at: [] }, createStyle(wantsColour(io.stderr, io.env))),
      );
    }
    return text;
  };
  return {
    ...(githubToken === undefined ? {} : { github: await read("--github-token", githubToken) }),
    ...(dockerToken === undefined ? {} : { docker: await read("--docker-token", dockerToken) }),
  };
}
