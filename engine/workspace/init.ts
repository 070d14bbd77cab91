// dagger init: makes a workspace, with a config to start from when one is wanted.

import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import { packageRoot } from "../assets.ts";
import type { Surroundings } from "../request.ts";
import type { Workspace } from "./find.ts";
import { at, findWorkspace, markerOf } from "./find.ts";
import { formatJson, notWritten, writeWhole } from "./json-file.ts";
import { currentFormat } from "./workspace.ts";

export interface InitRequest extends Surroundings {
  /** Becomes the workspace; made when it is not there. */
  readonly dir: string;
  /** Name of a template whose files are copied into `dir`. */
  readonly template?: string;
}

export interface Initialized {
  readonly workspace: Workspace;
  /** Files that came from the template, relative to the workspace. */
  readonly files: readonly string[];
  /** Root of the workspace that the new one lies in. */
  readonly inside?: string;
}

export interface Template {
  readonly name: string;
  /** One line. */
  readonly about: string;
}

/** Examples that run in a job of their own and start nothing outside of it. */
const templateNames = ["hello", "app", "go", "node", "python", "rust"];

const ignored = `# Made by \`dagger init\`: of this machine only. Everything else here belongs into version control.
/state/
`;

/** Throws UserError (2) `workspace-exists`, `unknown-template`, `template-conflict`; (3) `workspace-not-written`. */
export async function initWorkspace(request: InitRequest): Promise<Initialized> {
  const root = resolve(request.cwd, request.dir);
  const workspace = at(root);
  if (existsSync(markerOf(root))) {
    throw inputError({
      code: "workspace-exists",
      message: `Already initialized: ${root} is a workspace`,
      at: [],
      hint: "Add a stack to it: dagger stack new NAME",
    });
  }
  const outer = findWorkspace(dirname(root));
  const files = request.template === undefined ? [] : await copyTemplate(request.template, root);
  await writeWhole(join(workspace.dir, ".gitignore"), ignored);
  // Last: without it there is no workspace, and init can be run again.
  await writeWhole(markerOf(root), formatJson({ format: currentFormat }));
  return { workspace, files, ...(outer === undefined ? {} : { inside: outer.root }) };
}

/** In the order in which a person meets them. */
export async function listTemplates(): Promise<readonly Template[]> {
  return Promise.all(
    templateNames.map(async (name) => {
      const [first = ""] = (await readFile(join(directoryOf(name), `${name}.cue`), "utf8")).split("\n");
      return {
        name,
        about: first
          .replace(/^\/\/ /, "")
          .replace(/ Try: .*$/, "")
          .replace(/\.$/, ""),
      };
    }),
  );
}

function directoryOf(template: string): string {
  return join(packageRoot(), "examples", template);
}

async function copyTemplate(name: string, root: string): Promise<readonly string[]> {
  if (!templateNames.includes(name)) {
    const [near] = nearest(name, templateNames);
    const all = `Templates are ${templateNames.join(", ")}`;
    throw inputError({
      code: "unknown-template",
      message: `There is no template ${JSON.stringify(name)}`,
      at: [],
      hint: near === undefined ? all : `Did you mean ${near}? ${all}`,
    });
  }
  const from = directoryOf(name);
  const files = await filesBelow(from);
  // Nothing is written before it is known that nothing is lost.
  const taken = files.filter((file) => existsSync(join(root, file)));
  if (taken.length > 0) {
    throw inputError({
      code: "template-conflict",
      message: `The template ${name} would replace ${taken.slice(0, 5).join(", ")}${taken.length > 5 ? " and more" : ""} in ${root}`,
      at: [],
      hint: "Give a directory without these files: dagger init DIR --template " + name,
    });
  }
  try {
    await mkdir(root, { recursive: true });
    for (const file of files) await cp(join(from, file), join(root, file), { force: false, errorOnExist: true });
  } catch (cause) {
    throw notWritten(root, cause);
  }
  return files;
}

async function filesBelow(dir: string): Promise<readonly string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(dir, path);
    // What an earlier run of the example left is no part of it.
    if (/^(dist|\.dagger)(\/|$)/.test(name) || name.includes("node_modules")) continue;
    if ((await stat(path)).isFile()) files.push(name);
  }
  return files.sort();
}
