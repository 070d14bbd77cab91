// Settings that are outputs of other environments, with what these gave last.
import { nearest } from "../../compiler/index.ts";
import type { Surroundings } from "../request.ts";
import type { GivenOutput } from "../settings/references.ts";
import type { OutputSetting, Setting } from "../settings/setting.ts";
import { findValue, fingerprintOf, readOutputs } from "../state/find.ts";
import type { Output } from "../store/index.ts";
import type { Workspace } from "../workspace/find.ts";
import { findOwner } from "./dependencies.ts";
import { readEnvironments } from "./environment.ts";
import { readStacks } from "./stack.ts";

/** The same settings; those that are outputs have a `given`. The store is opened only for them. */
export async function withGiven(
  workspace: Workspace,
  environment: string,
  settings: ReadonlyMap<string, Setting>,
  { cwd, store }: Pick<Surroundings, "cwd" | "store">,
): Promise<ReadonlyMap<string, Setting>> {
  const wanted = [...settings].filter((one): one is [string, OutputSetting] => one[1].kind === "output");
  if (wanted.length === 0) return settings;
  const slugs = new Map<string, readonly string[]>();
  for (const { slug } of await readStacks(workspace, cwd)) {
    slugs.set(
      slug,
      (await readEnvironments(workspace, slug, cwd)).map((one) => one.slug),
    );
  }
  const owners = wanted.map(([input, setting]) => ({ input, setting, ...findOwner(setting, environment, slugs) }));
  const places = [...new Set(owners.flatMap(({ owner = [] }) => owner))].map((owner) => {
    const [stack = "", slug = ""] = owner.split("/");
    return { stack, environment: slug };
  });
  const outputs = await readOutputs(workspace.root, store === undefined ? {} : { store }, places);
  const given = owners.map(({ input, setting, owner, problem }): [string, Setting] => {
    if (owner === undefined) return [input, { ...setting, given: { ...(problem === undefined ? {} : { missing: problem }) } }];
    return [input, { ...setting, given: givenBy(setting, input, owner, outputs.get(owner) ?? []) }];
  });
  return new Map([...settings, ...given]);
}

function givenBy({ path }: OutputSetting, input: string, owner: string, outputs: readonly Output[]): GivenOutput {
  const [stack = "", environment = ""] = owner.split("/");
  const found = findValue(outputs, path);
  if (found !== undefined) {
    const json = JSON.stringify(found.value);
    return { environment, json, run: found.run, fingerprint: fingerprintOf(found.value) };
  }
  const standIn = `give a value for now with -i ${input}=VALUE`;
  if (outputs.length === 0) {
    const missing = `${owner}, whose ${path} is to be ${input}, has not run yet`;
    return { environment, missing, hint: `Run it first with \`dagger up --with-dependencies\`, or ${standIn}` };
  }
  const [near] = nearest(path, pathsOf(outputs));
  const missing = `${owner} gives no ${path}, which is to be ${input}`;
  const see = `See what it gives with \`dagger query -s ${stack} -e ${environment}\``;
  return { environment, missing, hint: near === undefined ? `${see}, or ${standIn}` : `Did you mean ${near}? ${see}` };
}

/** Paths of components, and of fields of the config as a whole. */
function pathsOf(outputs: readonly Output[]): readonly string[] {
  const whole = outputs.find(({ component }) => component === "")?.value;
  const fields = typeof whole === "object" && whole !== null && !Array.isArray(whole) ? Object.keys(whole) : [];
  return [...new Set([...fields, ...outputs.map(({ component }) => component)])].filter((path) => path !== "");
}
