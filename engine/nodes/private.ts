// Private fields of this machine, `.dagger/state/private.json`: variables that commands may name, such as logins. They are secrets of a run.
import { join } from "node:path";
import type { SecretCall } from "../secrets/provider.ts";
import { isReference } from "../secrets/reference.ts";
import type { Workspace } from "../workspace/find.ts";
import { readJsonFile } from "../workspace/json-file.ts";

export interface PrivateFields {
  readonly names: readonly string[];
  /** As `--secret` takes them. */
  secrets(names: readonly string[]): readonly string[];
  readonly calls: ReadonlyMap<string, SecretCall>;
}

/** Each is a text, or where it comes from: `env:NAME`, `file:PATH`. Throws UserError (2) `bad-workspace-file`. */
export async function readPrivate({ state }: Workspace, cwd: string): Promise<PrivateFields> {
  const file = await readJsonFile(join(state, "private.json"), cwd);
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(file?.data ?? {})) {
    if (!/^[A-Za-z_]\w*$/.test(name))
      await file?.failName([name], `${JSON.stringify(name)} in ${file.name} is no name of a variable`, "Use letters, digits and _");
    if (typeof value !== "string") await file?.fail([name], `Field ${name} of ${file.name} is to be a text`);
    else fields.set(name, value);
  }
  const referenceOf = (name: string): string => {
    const value = fields.get(name) ?? "";
    return isReference(value) ? value : `call:private.${name}`;
  };
  return {
    names: [...fields.keys()],
    secrets: (names) => names.map((name) => `private.${name}=${referenceOf(name)}`),
    calls: new Map([...fields].map(([name, value]) => [`private.${name}`, () => value])),
  };
}
