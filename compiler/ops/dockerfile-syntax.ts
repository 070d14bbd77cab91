// Which frontend a Dockerfile asks for: the first lines of the file, read as BuildKit's own frontend reads them.

const DIRECTIVES: ReadonlySet<string> = new Set(["syntax", "escape", "check"]);

/** The image of the frontend, as it stands in the file; undefined when the daemon's own one reads it. */
export function dockerfileSyntax(text: string): string | undefined {
  const body = text.replace(/^\ufeff/, "").replace(/^#![^\n]*\n?/, "");
  const value = directive(body, "#") ?? directive(body, "//") ?? jsonSyntax(body);
  return value?.split(" ")[0];
}

/** Directives stand before everything else: the first line that is none ends them. */
function directive(text: string, comment: string): string | undefined {
  for (const line of text.split("\n")) {
    if (!line.startsWith(comment)) return undefined;
    const [, name = "", value] = /^([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*$/.exec(line.slice(comment.length).trimStart()) ?? [];
    if (!DIRECTIVES.has(name.toLowerCase())) return undefined;
    if (name.toLowerCase() === "syntax") return value;
  }
  return undefined;
}

function jsonSyntax(text: string): string | undefined {
  try {
    const data = JSON.parse(text) as { readonly syntax?: unknown } | null;
    return typeof data?.syntax === "string" ? data.syntax : undefined;
  } catch {
    return undefined;
  }
}
