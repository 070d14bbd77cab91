// The graph of a manifest in Graphviz's language: sources are boxes, computations ellipses, links by hand dashed.
import { detailOf, shortId } from "../sources/versions.ts";
import type { Datum } from "../store/index.ts";
import { keyText, type Manifest } from "./manifest.ts";

export function dotOf({ data, edges }: Manifest): string {
  const names = new Map(data.map((one, index) => [keyText(one), `n${index}`]));
  const nodes = data.map((one) => `  ${names.get(keyText(one))} [${attributesOf(one)}];\n`);
  const lines = edges.map(({ child, parent, kind }) => {
    const style =
      kind === "link" ? ' [style=dashed, label="link"]' : kind === "part" || kind === "before" ? ` [style=dotted, label="${kind}"]` : "";
    return `  ${names.get(keyText(parent))} -> ${names.get(keyText(child))}${style};\n`;
  });
  return `digraph data {\n  rankdir=LR;\n  node [fontname="Helvetica", fontsize=11];\n${nodes.join("")}${lines.join("")}}\n`;
}

function attributesOf(datum: Datum): string {
  if (datum.kind === "version")
    return `shape=box, label=${quoted(`${datum.name}\n${shortId(datum.id)}\n${detailOf(datum)["kind"] ?? ""}`)}`;
  const { command = [] } = datum.detail as { readonly command?: readonly string[] };
  return `shape=ellipse, label=${quoted(`${command[0] ?? ""}\n${datum.name.slice(0, 8)}`)}`;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
