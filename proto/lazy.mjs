// Makes the generated messages lazy: a program that uses three messages of a file does not pay, each time it starts, for the functions of the
// three hundred beside them. Run by generate.sh on proto/gen.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = process.argv[2];

/** What ts-proto writes for each message: a function for its empty value, and an object of functions. */
const message = /function createBase(\w+)\(\): \1 \{\n[\s\S]*?\n\}\n\nexport const \1: MessageFns<\1> = (?=\{\n)[\s\S]*?\n\};\n/g;

const helper = `// Written by proto/lazy.mjs. DO NOT EDIT.
import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

interface Functions<T, Partial> {
  encode(message: T, writer?: BinaryWriter): BinaryWriter;
  decode(input: BinaryReader | Uint8Array, length?: number): T;
  create(base?: Partial): T;
  fromPartial(object: Partial): T;
}

/** The functions of one message, made when one of them is called. */
export class Later<T, Partial> implements Functions<T, Partial> {
  #make: (() => Functions<T, Partial>) | undefined;
  #made: Functions<T, Partial> | undefined;

  constructor(make: () => Functions<T, Partial>) {
    this.#make = make;
  }

  get #functions(): Functions<T, Partial> {
    return (this.#made ??= (this.#make as () => Functions<T, Partial>)());
  }

  encode(message: T, writer?: BinaryWriter): BinaryWriter {
    return this.#functions.encode(message, writer);
  }

  decode(input: BinaryReader | Uint8Array, length?: number): T {
    return this.#functions.decode(input, length);
  }

  create(base?: Partial): T {
    return this.#functions.create(base);
  }

  fromPartial(object: Partial): T {
    return this.#functions.fromPartial(object);
  }
}
`;

/** `text` with each message in a function. Throws when ts-proto writes something else than it did. */
function rewrite(text, path) {
  const declared = text.match(/^export const (\w+): MessageFns<\1> = \{$/gm)?.length ?? 0;
  let found = 0;
  const lazy = text.replace(message, (whole, name) => {
    found++;
    const object = whole.indexOf(`\n\nexport const ${name}: `);
    const base = whole.slice(0, object);
    const functions = whole.slice(whole.indexOf(" = {", object) + 3);
    return `export const ${name}: MessageFns<${name}> = new Later<${name}, DeepPartial<${name}>>(() => {\n${base}\nreturn ${functions}});\n`;
  });
  if (found !== declared) throw new Error(`proto/lazy.mjs: ${path} declares ${declared} messages, ${found} were found`);
  if (found === 0) return text;
  const from = relative(dirname(path), join(root, "later.ts"));
  return lazy.replace(/^import /m, `import { Later } from "${from.startsWith(".") ? from : `./${from}`}";\nimport `);
}

for (const entry of readdirSync(root, { recursive: true })) {
  const path = join(root, entry);
  if (!path.endsWith(".ts")) continue;
  const text = readFileSync(path, "utf8");
  const lazy = rewrite(text, path);
  if (lazy !== text) writeFileSync(path, lazy);
}
writeFileSync(join(root, "later.ts"), helper);
