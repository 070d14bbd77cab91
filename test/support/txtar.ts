// Reads and writes txtar archives: a comment, then files under `-- name --` lines, as Go's tools write them.

export interface Txtar {
  /** Everything above the first file: the script. Ends in a newline unless it is empty. */
  readonly comment: string;
  /** Contents by name, in the order of the archive. A file that is not empty ends in a newline. */
  readonly files: ReadonlyMap<string, string>;
}

const marker = /^-- (.+) --$/;

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/** Every text is a txtar archive. When a name comes twice, that is a mistake of the author and an Error. */
export function parseTxtar(text: string): Txtar {
  const files = new Map<string, string>();
  let comment = "";
  let name: string | undefined;
  let lines: string[] = [];
  const close = (): void => {
    const content = lines.map((line) => `${line}\n`).join("");
    if (name === undefined) comment = content;
    else if (files.has(name)) throw new Error(`the archive has two files ${JSON.stringify(name)}`);
    else files.set(name, content);
    lines = [];
  };
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  for (const line of all) {
    const next = marker.exec(line)?.[1]?.trim();
    if (next === undefined || next === "") lines.push(line);
    else {
      close();
      name = next;
    }
  }
  close();
  return { comment, files };
}

/** The archive as text: `parseTxtar` of it gives the same archive back. */
export function formatTxtar(archive: Txtar): string {
  const files = [...archive.files].map(([name, content]) => `-- ${name} --\n${withNewline(content)}`);
  return withNewline(archive.comment) + files.join("");
}
