// The catalog for people: a list of packages, and one package with what it gives and needs.
import type { CatalogPage, DescribedDefinition, Found, FoundPackage } from "../../engine/index.ts";
import { clean } from "./lines.ts";
import { formatTable } from "./table.ts";

/** One line a package. */
export function foundText({ packages }: Found): string {
  return formatTable(packages.map((one) => [nameOf(one), clean(one.summary), firstOf(one.definitions)]));
}

/** Where nothing, or not everything, was found: lines for stderr. */
export function foundNotes({ packages, registries, near }: Found, words: readonly string[]): string {
  const notes: string[] = [];
  if (packages.length === 0) {
    notes.push(`There is no package for ${words.join(" ")}${near.length === 0 ? "" : `: did you mean ${[...new Set(near)].join(", ")}?`}`);
  }
  for (const { host, state, why = "" } of registries) {
    if (state === "failed") notes.push(clean(why));
    // Nobody can do anything about it: it is told where it may be the reason.
    if (state === "unlisted" && packages.length === 0)
      notes.push(`Of ${host}, only modules given by their whole path are found: ${clean(why)}`);
    if (state === "listed" && why !== "") notes.push(`${host}: ${why}`);
  }
  return notes.map((note) => `${note}\n`).join("");
}

function firstOf(names: readonly string[]): string {
  const shown = names.slice(0, 6).join(" ");
  return names.length > 6 ? `${shown} and ${names.length - 6} more` : shown;
}

function nameOf({ importPath, version }: FoundPackage): string {
  return version === undefined ? importPath.replace(/^cuellb\.dev\//, "") : `${importPath}@${version}`;
}

/** What a person needs to choose it. Ends with a newline. */
export function pageText(page: CatalogPage): string {
  const { importPath, doc, example, definitions, module } = page;
  const parts = [
    ...(importPath === "" ? [] : [`import ${JSON.stringify(importPath)}`, lines(doc)]),
    ...(module === undefined ? [] : [moduleText(module)]),
    ...definitions.map(definitionText),
    ...(example === "" ? [] : [`Example:\n    ${clean(example)}`]),
    ...(importPath === "" ? [] : [`Types and meanings of all inputs: dagger doc ${docName(importPath)}`]),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function moduleText({ path, version, versions, packages }: NonNullable<CatalogPage["module"]>): string {
  const lines = [`Module ${path}@${version}`];
  if (versions.length > 0) lines.push(`    versions   ${versions.join(" ")}`);
  lines.push(`    packages   ${packages.length === 0 ? "none" : packages.join(" ")}`);
  return lines.join("\n");
}

function definitionText(one: DescribedDefinition): string {
  const values = one.values.map(({ name, type }) => (name === "" ? type : `${name}: ${type}`));
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["needs", one.needs],
    ["takes", one.inputs],
    ["secrets", one.secrets],
    ["platforms", one.platforms],
    ["gives", [...values, ...(one.filesystem ? ["a filesystem"] : [])]],
  ];
  const lines = rows.filter(([, names]) => names.length > 0).flatMap(([label, names]) => wrapped(label, names));
  return [one.name, ...(one.doc === "" ? [] : [`    ${clean(one.doc)}`]), ...lines].join("\n");
}

/** Names behind a label, in lines that a terminal has room for. */
function wrapped(label: string, names: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const [index, name] of names.entries()) {
    const text = clean(name) + (index < names.length - 1 ? "," : "");
    if (line !== "" && line.length + text.length > 80) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? text : ` ${text}`;
  }
  return [...lines, line].map((one, index) => `    ${(index === 0 ? label : "").padEnd(10)} ${one}`);
}

function lines(text: string): string {
  return text
    .split("\n")
    .map((line) => clean(line))
    .join("\n");
}

function docName(importPath: string): string {
  return importPath.replace(/^cuellb\.dev\//, "");
}
