// Documentation of a package for people: as plain text, and as a page of Markdown.
import type { DocField, PackageDoc } from "../../engine/index.ts";

/** A package with one paragraph for each of its fields, or one definition with all of its inputs. Ends with a newline. */
export function docText(doc: PackageDoc): string {
  if (doc.only !== undefined) return doc.fields.map((field) => wholeText(field, doc)).join("");
  const parts = [titleOf(doc), doc.doc, doc.example === "" ? "" : `Example: ${doc.example}`, ...doc.fields.map(briefText)];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function titleOf(doc: PackageDoc): string {
  const name = doc.package === "" ? "files without a package" : `package ${doc.package}`;
  return doc.importPath === "" ? name : `${name} // import ${JSON.stringify(doc.importPath)}`;
}

/** What it is, and what one must give. */
function briefText(field: DocField): string {
  const needed = (field.fields ?? []).filter((one) => one.mark === "!").map((one) => one.name);
  const lines = [headOf(field), ...indented(field.doc, "    ")];
  if (needed.length > 0) lines.push(`    Needs ${needed.join(", ")}.`);
  return lines.join("\n");
}

function wholeText(field: DocField, doc: PackageDoc): string {
  const name = doc.package === "" ? field.name : `${doc.package}.${field.name}`;
  const title = `${name}${field.type === "" ? "" : `: ${field.type}`}${doc.importPath === "" ? "" : ` // import ${JSON.stringify(doc.importPath)}`}`;
  const parts = [title, field.doc, ...(field.fields ?? []).map((one) => fieldText(one, ""))];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function fieldText(field: DocField, indent: string): string {
  const inner = (field.fields ?? []).map((one) => fieldText(one, `${indent}    `));
  return [indent + headOf(field), ...indented(field.doc, `${indent}    `), ...inner].join("\n");
}

/** The declaration in one line, such as `dir: string  (default ".")`. */
function headOf(field: DocField): string {
  const type = typeOf(field);
  const notes = [...(field.attributes ?? []), ...(field.default === "" ? [] : [`(default ${field.default})`]), ...whenOf(field)];
  return [`${field.name}${field.mark}${type === "" ? "" : `: ${type}`}`, ...notes].join("  ");
}

/** Where a field is not always there. */
function whenOf({ when }: DocField): readonly string[] {
  return when === undefined ? [] : [`(only ${when})`];
}

function typeOf(field: DocField): string {
  if (field.name.startsWith("#")) return field.type;
  if (field.component) return field.type === "" ? "component" : `component that gives ${field.type}`;
  return field.type === "" ? "{...}" : field.type;
}

function indented(text: string, indent: string): readonly string[] {
  return text === "" ? [] : text.split("\n").map((line) => (line === "" ? "" : indent + line));
}

/** One page; the same for a package and for one definition of it. Ends with a newline. */
export function docMarkdown(doc: PackageDoc): string {
  const head = doc.only !== undefined ? [] : [`# ${doc.package === "" ? "Fields" : doc.package}`, ...introduction(doc)];
  const isDefinition = (field: DocField): boolean => field.name.startsWith("#");
  const definitions = doc.fields.filter(isDefinition).flatMap((field) => section(field));
  const fields = doc.fields.filter((field) => !isDefinition(field));
  const parts = [...head, ...definitions, ...(fields.length === 0 ? [] : ["## Fields", table(fields)])];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function introduction({ importPath, doc, example }: PackageDoc): readonly string[] {
  const code = (text: string): string => `\`\`\`cue\n${text}\n\`\`\``;
  return [
    importPath === "" ? "" : code(`import ${JSON.stringify(importPath)}`),
    prose(doc),
    example === "" ? "" : `For example:\n\n${code(example)}`,
  ];
}

function section(field: DocField): readonly string[] {
  const type = field.type === "" ? "" : `Type: ${code(field.type)}`;
  return [`## ${field.name}`, prose(field.doc), type, field.fields === undefined ? "" : table(field.fields)];
}

function table(fields: readonly DocField[]): string {
  return ["| field | type | default | meaning |", "|---|---|---|---|", ...fields.flatMap((field) => rows(field, ""))].join("\n");
}

function rows(field: DocField, prefix: string): readonly string[] {
  const name = `${prefix}${field.name}`;
  const notes = [field.doc, ...(field.attributes ?? []).map(code), ...(field.when === undefined ? [] : [`Only \`${field.when}\`.`])]
    .filter((note) => note !== "")
    .join("\n");
  const cells = [code(name + field.mark), code(typeOf(field)), field.default === "" ? "" : code(field.default), prose(notes)];
  const row = `| ${cells.map((cell) => cell.replaceAll(/\\?\|/g, "\\|").replaceAll(/\n+/g, " ")).join(" | ")} |`;
  return [row, ...(field.fields ?? []).flatMap((one) => rows(one, `${name}.`))];
}

/** Text that has backticks of its own stands between more of them. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return longest === 0 ? fence + text + fence : `${fence} ${text} ${fence}`;
}

/** Comments are no Markdown, but for code in backticks: what looks like a tag of HTML, or like emphasis in a name, is text. */
function prose(text: string): string {
  const parts = text.split(/(`[^`]*`)/);
  return parts.map((part, index) => (index % 2 === 1 ? part : part.replaceAll(/[<*]|(?<=^|\W)_/g, "\\$&"))).join("");
}
