// dagger stack and env.
import type { EnvironmentEntry, EnvironmentState, SourceWish, StackEntry, StackRequest } from "../../engine/index.ts";
import { confirm } from "../ask.ts";
import type { Context, OutputFormat } from "../context.ts";
import { surroundings } from "../context.ts";
import { clean } from "../output/lines.ts";
import { formatJson, formatTable } from "../output/table.ts";
import { plural } from "../output/units.ts";
import { wishOf } from "../stack.ts";

export interface StackCommandFlags extends SourceWish {
  readonly name?: string;
  readonly description?: string;
  readonly update?: boolean;
  readonly yes?: boolean;
  readonly offline?: boolean;
  readonly output: OutputFormat;
}

export interface EnvFlags {
  readonly stack?: string;
  readonly env?: string;
  readonly yes?: boolean;
  readonly output: OutputFormat;
}

const engine = async () => (await import("../../engine/index.ts")).loadStacks();

export async function newStackCommand(
  context: Context,
  name: string,
  flags: StackCommandFlags & { readonly env?: readonly string[] },
): Promise<void> {
  const { newStack } = await engine();
  const { description, env = ["default"] } = flags;
  const made = await newStack(requestOf(context, flags), {
    name,
    source: sourceOf(flags) ?? {},
    environments: env,
    ...(description === undefined ? {} : { description }),
  });
  await tellStack(context, flags, made);
}

export async function listStacksCommand(context: Context, flags: StackCommandFlags): Promise<void> {
  const { listStacks, showSource } = await engine();
  const all = await listStacks(requestOf(context, flags));
  if (flags.output === "json") return context.io.stdout.write(formatJson(await Promise.all(all.map(stackData))));
  context.io.stdout.write(
    formatTable(
      all.map(({ slug, selected, config, environments }) => [
        selected ? "*" : " ",
        slug,
        clean(showSource(config)),
        environments.join(", "),
      ]),
    ),
  );
}

export async function showStackCommand(context: Context, name: string | undefined, flags: StackCommandFlags): Promise<void> {
  const { listStates, showStack } = await engine();
  const stack = await showStack(requestOf(context, flags), wishOf({ ...(name === undefined ? {} : { stack: name }) }));
  const states = await listStates(requestOf(context, flags), { stack: stack.slug });
  if (flags.output === "json") return context.io.stdout.write(formatJson({ ...(await stackData(stack)), states }));
  await tellStack(context, flags, stack);
  context.io.stdout.write(formatTable(states.map((one) => ["", one.environment, stateText(one), whyText(one)])));
}

export async function editStackCommand(context: Context, name: string | undefined, flags: StackCommandFlags): Promise<void> {
  const { editStack } = await engine();
  const { name: newName, description, update } = flags;
  const source = sourceOf(flags);
  const edited = await editStack(requestOf(context, flags), name === undefined ? {} : { stack: name }, {
    ...(newName === undefined ? {} : { name: newName }),
    ...(description === undefined ? {} : { description }),
    ...(source === undefined ? {} : { source }),
    ...(update === undefined ? {} : { update }),
  });
  await tellStack(context, flags, edited);
}

export async function deleteStackCommand(context: Context, name: string, flags: StackCommandFlags): Promise<void> {
  const { deleteStack, listDependents, showStack } = await engine();
  const request = requestOf(context, flags);
  const { slug, environments } = await showStack(request, { stack: name });
  const what = `the stack ${slug} with ${plural(environments.length, "environment")}, their settings and secrets`;
  await confirm(context, `Delete ${what}${needed(await listDependents(request, slug))}?`, flags.yes);
  await deleteStack(request, slug);
  tell(context, flags, { deleted: slug }, `Deleted ${slug}`);
}

export async function selectCommand(context: Context, flags: EnvFlags): Promise<void> {
  const { selectStack } = await engine();
  const selected = await selectStack(requestOf(context, {}), wishOf(flags));
  const { stack, environment } = selected;
  tell(
    context,
    flags,
    selected,
    `Commands that are not told are about the stack ${stack}${environment === undefined ? "" : `, environment ${environment}`}`,
  );
}

export async function newEnvCommand(context: Context, name: string, flags: EnvFlags): Promise<void> {
  const { newEnvironment } = await engine();
  tellEnvironment(context, flags, await newEnvironment(requestOf(context, {}), wishOf(flags), name));
}

export async function listEnvsCommand(context: Context, flags: EnvFlags): Promise<void> {
  const { listEnvironments, listStates } = await engine();
  const all = await listEnvironments(requestOf(context, {}), wishOf(flags));
  const states = new Map((await listStates(requestOf(context, {}), wishOf(flags))).map((one) => [one.environment, one]));
  if (flags.output === "json") return context.io.stdout.write(formatJson(all.map((one) => ({ ...one, ...states.get(one.slug) }))));
  const row = ({ slug, settings, selected }: EnvironmentEntry): string[] => {
    const state = states.get(slug);
    return [
      selected ? "*" : " ",
      slug,
      plural(settings.length, "setting"),
      ...(state === undefined ? [] : [stateText(state), whyText(state)]),
    ];
  };
  context.io.stdout.write(formatTable(all.map(row)));
}

export async function showEnvCommand(context: Context, name: string | undefined, flags: EnvFlags): Promise<void> {
  const { formatSettings, showEnvironment, showSetting } = await engine();
  const { values, ...environment } = await showEnvironment(requestOf(context, {}), {
    ...wishOf(flags),
    ...(name === undefined ? {} : { environment: name }),
  });
  if (flags.output === "json") return context.io.stdout.write(formatJson({ ...environment, settings: formatSettings(values) }));
  tellEnvironment(context, flags, environment);
  context.io.stdout.write(formatTable([...values].map(([path, setting]) => ["", clean(path), setting.kind, clean(showSetting(setting))])));
}

export async function editEnvCommand(context: Context, name: string, flags: EnvFlags & { readonly name: string }): Promise<void> {
  const { editEnvironment } = await engine();
  tellEnvironment(context, flags, await editEnvironment(requestOf(context, {}), { ...wishOf(flags), environment: name }, flags.name));
}

export async function copyEnvCommand(context: Context, from: string, to: string, flags: EnvFlags): Promise<void> {
  const { newEnvironment } = await engine();
  tellEnvironment(context, flags, await newEnvironment(requestOf(context, {}), wishOf(flags), to, from));
}

export async function deleteEnvCommand(context: Context, name: string, flags: EnvFlags): Promise<void> {
  const { deleteEnvironment, listDependents, showEnvironment } = await engine();
  const request = requestOf(context, {});
  const { stack, slug, settings } = await showEnvironment(request, { ...wishOf(flags), environment: name });
  await confirm(
    context,
    `Delete the environment ${slug} of ${stack} with ${plural(settings.length, "setting")} and its secrets${needed(await listDependents(request, stack, slug))}?`,
    flags.yes,
  );
  await deleteEnvironment(request, { stack }, slug);
  tell(context, flags, { deleted: slug, stack }, `Deleted ${stack}/${slug}`);
}

/** Who asks to delete it is told who needs it. */
function needed(by: readonly string[]): string {
  return by.length === 0 ? "" : `, although ${by.join(", ")} ${by.length === 1 ? "takes" : "take"} its outputs`;
}

function stateText({ state }: EnvironmentState): string {
  return { current: "up to date", missing: "never ran", stale: "stale", broken: "broken" }[state];
}

/** Why it is not up to date; whose outputs it takes where it is. */
function whyText({ state, because, dependencies }: EnvironmentState): string {
  const owners = [...new Set(dependencies.flatMap(({ owner = [] }) => owner))];
  if (state === "stale" || state === "broken") return because.map((reason) => clean(reason)).join("; ");
  return owners.length === 0 ? "" : `takes outputs of ${owners.join(", ")}`;
}

function requestOf(context: Context, { offline }: { readonly offline?: boolean }): StackRequest {
  return { ...surroundings(context), signal: context.signal, ...(offline === undefined ? {} : { offline }) };
}

function sourceOf({ dir, git, ref, module, subdir }: StackCommandFlags): SourceWish | undefined {
  const given = Object.entries({ dir, git, ref, module, subdir }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

async function stackData({ config, ...stack }: StackEntry): Promise<object> {
  return { ...stack, config: (await engine()).sourceData(config) };
}

async function tellStack(context: Context, flags: { readonly output: OutputFormat }, stack: StackEntry): Promise<void> {
  const { showSource } = await engine();
  const rows = [
    ["stack", stack.slug],
    ...(stack.name === stack.slug ? [] : [["name", clean(stack.name)]]),
    ...(stack.description === "" ? [] : [["description", clean(stack.description)]]),
    ["config", clean(showSource(stack.config))],
    ["environments", stack.environments.join(", ")],
  ];
  tell(context, flags, await stackData(stack), formatTable(rows).trimEnd());
}

function tellEnvironment(context: Context, flags: EnvFlags, environment: EnvironmentEntry): void {
  const { stack, slug, name, settings } = environment;
  tell(
    context,
    flags,
    environment,
    `${stack}/${slug}${name === slug ? "" : ` (${clean(name)})`} with ${plural(settings.length, "setting")}`,
  );
}

function tell({ io }: Context, { output }: { readonly output: OutputFormat }, data: object, text: string): void {
  io.stdout.write(output === "json" ? formatJson(data) : `${text}\n`);
}
