// dagger completion: scripts for bash, zsh and fish, made from the command tree, so that they never miss a flag.
import type { Command, Option } from "commander";
import type { Context } from "../context.ts";

export type Shell = "bash" | "zsh" | "fish";

interface Entry {
  /** Words after `dagger`, e.g. `image import`. */
  readonly words: string;
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly flags: readonly Option[];
  /** Words that its argument may be, where they are known. */
  readonly argumentChoices: readonly string[];
}

export function completionCommand({ io }: Context, shell: Shell, program: Command): void {
  const entries = collect(program, "");
  switch (shell) {
    case "bash":
      io.stdout.write(bash(entries));
      return;
    case "zsh":
      io.stdout.write(zsh(entries));
      return;
    case "fish":
      io.stdout.write(fish(entries));
      return;
  }
}

function collect(command: Command, words: string): Entry[] {
  const help = command.createHelp();
  const commands = help.visibleCommands(command).map((child) => ({ name: child.name(), summary: child.summary() || child.description() }));
  const entry = {
    words,
    commands,
    flags: help.visibleOptions(command),
    argumentChoices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  return [entry, ...command.commands.flatMap((child) => collect(child, `${words} ${child.name()}`.trim()))];
}

function flagNames(entry: Entry): string[] {
  return entry.flags.flatMap((flag) => [flag.long, flag.short]).filter((name) => name !== undefined && name !== null);
}

/** Flags whose next word is a value, with the values that are known. */
function valueFlags(entries: readonly Entry[]): { names: string[]; choices: readonly string[] }[] {
  const seen = new Map<string, { names: string[]; choices: readonly string[] }>();
  for (const entry of entries) {
    for (const flag of entry.flags) {
      if (!flag.required) continue;
      const names = [flag.long, flag.short].filter((name) => name !== undefined && name !== null);
      seen.set(`${entry.words} ${names[0] ?? ""}`, {
        names: names.map((name) => `${entry.words}:${name}`),
        choices: flag.argChoices ?? [],
      });
    }
  }
  return [...seen.values()];
}

/** The words of the command line that are commands, without flags and their values: the same walk in bash and zsh. */
function walk(entries: readonly Entry[]): string {
  const takesValue = valueFlags(entries).flatMap(({ names }) => names);
  const known = entries.map(({ words }) => words).filter((words) => words !== "");
  return `  local words="" skip="" i word
  for ((i = first; i < last; i++)); do
    word="\${line[i]}"
    if [[ -n "$skip" ]]; then skip=""; continue; fi
    case "$words:$word" in
${caseLine(takesValue, 'skip="$word"; continue')}
      *:-*) continue ;;
    esac
    case "\${words:+$words }$word" in
${caseLine(known, 'words="${words:+$words }$word"')}
    esac
  done
  choices=""
  case "$words:$skip" in
${valueFlags(entries)
  .filter(({ choices }) => choices.length > 0)
  .map(({ names, choices }) => caseLine(names, `choices="${choices.join(" ")}"`))
  .join("\n")}
    *:?*) files=1 ;;
    *)
      case "$words" in
${entries.map((entry) => `        "${entry.words}") choices="${[...entry.commands.map(({ name }) => name), ...entry.argumentChoices, ...flagNames(entry)].join(" ")}" ;;`).join("\n")}
      esac
      files=1 ;;
  esac`;
}

function caseLine(patterns: readonly string[], action: string): string {
  return `      ${patterns.map((pattern) => `"${pattern}"`).join("|")}) ${action} ;;`;
}

function bash(entries: readonly Entry[]): string {
  return `# bash completion of dagger; load it with: source <(dagger completion bash)
_dagger() {
  local -a line=("\${COMP_WORDS[@]}")
  local first=1 last="$COMP_CWORD" choices="" files="" current="\${COMP_WORDS[COMP_CWORD]}"
${walk(entries)}
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
  if [[ -n "$files" && "$current" != -* && -n "$words" ]]; then COMPREPLY+=($(compgen -f -- "$current")); fi
}
complete -o filenames -F _dagger dagger
`;
}

function zsh(entries: readonly Entry[]): string {
  return `#compdef dagger
# zsh completion of dagger; put it into a directory of $fpath as _dagger
_dagger() {
  local -a line=("\${words[@]}")
  local first=2 last="$CURRENT" choices="" files="" current="\${line[CURRENT]}"
${walk(entries)}
  [[ -n "$choices" ]] && compadd -- \${=choices}
  if [[ -n "$files" && "$current" != -* && -n "$words" ]]; then _files; fi
}
if [[ "$funcstack[1]" == _dagger ]]; then _dagger "$@"; else compdef _dagger dagger; fi
`;
}

function fish(entries: readonly Entry[]): string {
  const quote = (text: string) => `'${text.split("\n").join(" ").replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = entries.flatMap((entry) => {
    const seen = entry.words.split(" ").filter((word) => word !== "");
    const inside = seen.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notDeeper =
      entry.commands.length > 0 && seen.length > 0
        ? [`not __fish_seen_subcommand_from ${entry.commands.map(({ name }) => name).join(" ")}`]
        : [];
    const condition = seen.length === 0 ? "__fish_use_subcommand" : [...inside, ...notDeeper].join("; and ");
    const commands = entry.commands.map(
      ({ name, summary }) => `complete -c dagger -n ${quote(condition)} -f -a ${name} -d ${quote(summary)}`,
    );
    const flags = entry.flags.map((flag) => {
      const short = flag.short === undefined || flag.short === null ? "" : ` -s ${flag.short.replace(/^-/, "")}`;
      const long = flag.long === undefined || flag.long === null ? "" : ` -l ${flag.long.replace(/^--/, "")}`;
      const choices = flag.argChoices === undefined ? "" : ` -f -a ${quote(flag.argChoices.join(" "))}`;
      return `complete -c dagger -n ${quote(condition)}${short}${long}${flag.required ? " -r" : ""}${choices} -d ${quote(flag.description)}`;
    });
    const words = entry.argumentChoices.map((word) => `complete -c dagger -n ${quote(condition)} -f -a ${word}`);
    return [...commands, ...words, ...flags];
  });
  return `# fish completion of dagger; save it as ~/.config/fish/completions/dagger.fish\n${lines.join("\n")}\n`;
}
