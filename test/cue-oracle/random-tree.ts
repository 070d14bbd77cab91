// Random module trees: files, packages, imports, conditions, tags, embedded files, vendored and replaced modules. A seed decides.
import { Random } from "../llb-oracle/seeded.ts";

export interface Tree {
  /** By path; a link is written as `{ link }`, a directory that is empty as `{ dir }`. */
  readonly files: Readonly<Record<string, string | { readonly link: string } | { readonly dir: true }>>;
  /** Directory of the instance, or one file in it. */
  readonly target: string;
  readonly file?: string;
  readonly tags: readonly string[];
  readonly vars: boolean;
}

export function randomTree(seed: number): Tree {
  return new Maker(seed).tree();
}

/** Import path and the name that its package goes by in the importing file. */
type ImportSpec = readonly [path: string, name: string];

const CONDITIONS = ["prod", "!prod", "prod && debug", "prod || debug", "!(prod && debug)", "(debug)", "prod && !slow || debug"];
const BROKEN_CONDITIONS = ["prod + debug", "1", "prod &&", "-prod", "f(x)", '"prod"'];
const OWN_IMPORTS: readonly ImportSpec[] = [
  ["lib", "lib"],
  ["lib/deep", "deep"],
  ["lib:other", "other"],
  ["lib-x:libx", "libx"],
  ["nested/pkg", "pkg"],
  ["toolsonly", "toolsonly"],
];
const ODD_IMPORTS: readonly ImportSpec[] = [
  ["./lib", "lib"],
  ["../lib", "lib"],
  ["strng", "strng"],
  ["no.such/pkg", "pkg"],
  ["ext.org/none", "none"],
  ["ext.org/v:w", "w"],
  ["/abs/lib", "lib"],
  ["ext.org//v", "v"],
  ["ext.org/v/", "v"],
  ["ext.org/v@v0.1.0:v", "v"],
  ["repl.org/r@v1", "r"],
  [".hidden/x", "x"],
  ["ext.org/a b", "b"],
];
const DATA: Readonly<Record<string, string>> = {
  "data/a.json": '{"a": 1, "l": [1, 2.50, "x"], "n": null}',
  "data/b.json": '"text"',
  "data/.hidden.json": '{"hidden": true}',
  "data/c.yaml": "k: v\nl:\n- 1\n- true\n- 0x10\n- 1e3\n",
  "data/many.yaml": "a: 1\n---\nb: 2\n",
  "data/empty.yaml": "",
  "data/d.toml": 'x = 1\n[t]\ny = "z"\n',
  "data/t.txt": "line\nline \\(2)\n",
  "data/bytes.bin": "\u0001\u0002é\u0000",
  "data/bad.json": '{"a": }',
  "data/empty.json": "",
  "data/schema.json": '{"type": "object", "properties": {"p": {"type": "integer"}}}',
  "data/sub/e.json": '{"e": 5}',
  "data/sub/f.json": "6",
  "data/x.unknown": "??",
  "data/k.xml": '<note a="1"><to>me</to></note>',
  "data/bom.json": '\uFEFF{"bom": 1}',
  "data/rec.cue": "a: 1",
};
const EMBEDS = [
  ...["file=data/a.json", 'file="data/b.json"', "file=data/c.yaml", "file=data/d.toml", "file=data/t.txt", "file=data/sub/e.json"],
  ...["file=data/bytes.bin, type=binary", "file=data/a.json, type=text", "file=data/x.unknown, type=text", "file=data/b.json, type=yaml"],
  ...[
    "glob=data/*.json",
    "glob=data/sub/*.json",
    "glob=data/?.json",
    "glob=data/[ab].json",
    'glob="data/[^ab].yaml"',
    "glob=d*/sub/*.json",
  ],
  ...[
    "glob=data/*.txt, type=binary",
    "glob=data/.*.json",
    "glob=data/none*.json, allowEmptyGlob",
    "glob=data/*/*.json",
    "file=data/bom.json",
  ],
  ...[
    "file=data/k.xml, type=xml+koala",
    "file=data/c.yaml, type=text",
    "glob=*.txt",
    "file=data/sub/link.json",
    "glob=data/sub/*.txt, allowEmptyGlob",
  ],
];
const ODD_EMBEDS = [
  ...[
    "file=data/none.json",
    "file=../up.json",
    "file=/etc/hostname, type=text",
    "file=./data/a.json",
    "file=data/sub",
    "file=data/sub, type=text",
  ],
  ...[
    "file=data/x.unknown",
    "glob=data/*",
    "glob=data/none*.json",
    "glob=data/[.json",
    "",
    "file=data/a.json, glob=data/*.json",
    "file=data/bad.json",
  ],
  ...["file=data/many.yaml", "file=data/empty.json", "file=data/rec.cue", "file=data/k.xml", "file=nested/n.json", "glob=nested/*.json"],
  ...[
    "file=data/a.json, allowEmptyGlob",
    "file=data/a.json, type=nonsense",
    "glob=data/*.*",
    "file=data/empty.yaml",
    "glob=data/sub*, type=text",
  ],
  ...["file=data/a.json, type=jsonl", "file=data/a.json, type=json+yaml", "glob=data/../data/*.json", "file=data/a.json, type=cue"],
];
const ODD_MODULES = [
  'module: "example.com/m"',
  'module: ""\nlanguage: version: "v0.9.0"',
  'module: "example.com/m"\nlanguage: version: "0.9"',
  'module: "example.com/m"\nlanguage: version: "v99.0.0"',
  'module: "example.com/m"\nlanguage: version: "v0.5.0"',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\nmodul: "x"',
  'module: "example.com/m" + ""\nlanguage: version: "v0.9.0"',
  'module: 5\nlanguage: version: "v0.9.0"',
  'module: "example.com/m@v1.2.3"\nlanguage: version: "v0.9.0"',
  'module: "m"\nlanguage: version: "v0.9.0"',
  'module: "Example.com/m m"\nlanguage: version: "v0.9.0"',
  'module: "example.com/m"\nlanguage: {version: "v0.9.0", x: 1}',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\nsource: kind: "svn"',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\ndeps: "repl.org/r@v0": {v: "v0.1.0", replaceWith: "./vendor/r"}',
  'module: "example.com/m"\nlanguage: version: "v0.17.0"\ndeps: "repl.org/r@v0": {v: "v0.1.0", replaceWith: "./vendor/r"}',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\ndeps: "a.b/c@v0": {v: "v1.0.0"}',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\ndeps: "a.b/c@v0": {}',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\n{{',
  'package x\nmodule: "example.com/m@v0"\nlanguage: version: "v0.9.0"',
  'module: "example.com/m"\nlanguage: version: "v0.9.0"\nmodule: "example.com/n"',
];
const GOOD_MODULES = [
  'module: "example.com/m"\nlanguage: version: "v0.9.0"',
  'module: "example.com/m@v0"\nlanguage: version: "v0.9.2"',
  'module: "example.com/m@v1"\nlanguage: version: "v0.12.0"\nsource: kind: "self"',
  'module: "example.com/m@v0"\nlanguage: version: "v0.17.0"\ndescription: "d"',
  'module: "example.com/m@v0"\nlanguage: {\n\tversion: "v0.8.0"\n}\n// comment\ncustom: "a.b/tool": x: 1',
];

/** Asks for every tag: one that nothing asks for is an error. */
const ASKS = ["env", "num", "flag", ...["prod", "debug", "slow"].map((short) => `x_${short},short=${short}`)]
  .map((tag, i) => `tag${i}: string | *"d" @tag(${tag})\n`)
  .join("");

class Maker {
  readonly #random: Random;
  readonly #files: Record<string, string | { link: string } | { dir: true }> = {};
  /** The instance's package. */
  readonly #name: string;
  #major = "v0";
  #count = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
    this.#name = this.#random.pick(["p", "m", "app", "inner"]);
  }

  tree(): Tree {
    const r = this.#random;
    const target = r.pick([".", ".", "app", "app/inner"]);
    this.#module();
    this.#packages();
    this.#vendored();
    this.#data(target);
    this.#instance(target);
    const tags = [
      ...["prod", "debug", "slow"].filter(() => r.chance(25)),
      ...["env=x", "num=5", "num=0x1F", "flag=true", "flag=T", "env=a=b"].filter(() => r.chance(7)),
      ...["num=a", "nosuch=1", "nosuch", "flag=maybe"].filter(() => r.chance(1)),
    ];
    const file = r.chance(12) ? r.pick(Object.keys(this.#files).filter((f) => parent(f) === target && f.endsWith(".cue"))) : undefined;
    return {
      files: this.#files,
      target,
      ...(file && { file: file.slice(target === "." ? 0 : target.length + 1) }),
      tags,
      vars: r.chance(30),
    };
  }

  #module(): void {
    const r = this.#random;
    if (r.chance(4)) return;
    if (r.chance(1)) {
      this.#files["cue.mod"] = 'module: "example.com/m"';
      return;
    }
    const text = r.chance(7) ? r.pick(ODD_MODULES) : r.pick(GOOD_MODULES);
    if (text.includes("@v1")) this.#major = "v1";
    this.#files["cue.mod/module.cue"] = text;
    if (r.chance(30)) this.#replaced();
    if (r.chance(15)) this.#files["nested/cue.mod/module.cue"] = 'module: "example.com/nested"\nlanguage: version: "v0.9.0"';
  }

  #replaced(): void {
    const r = this.#random;
    this.#files["cue.mod/module.cue"] =
      `module: "example.com/m@${this.#major}"\nlanguage: version: "v0.17.0"\ndeps: "repl.org/r@v0": v: "v0.1.0"`;
    const dir = r.pick(["./vendor/r", "./vendor/r", "./vendor/r", "./vendor/none"]);
    const entry = r.pick([`replaceWith: "${dir}"`, `{v: "v0.1.0", replaceWith: "${dir}"}`, `{default: true, replaceWith: "${dir}"}`]);
    this.#files["cue.mod/local-module.cue"] = r.chance(2) ? 'module: "other.com/x"' : `deps: "repl.org/r@v0": ${entry}`;
    const name = r.chance(8) ? "repl.org/else@v0" : "repl.org/r@v0";
    this.#files["vendor/r/cue.mod/module.cue"] = `module: "${name}"\nlanguage: version: "v0.9.0"`;
    this.#files["vendor/r/r.cue"] = r.chance(30)
      ? '@extern(embed)\n\npackage r\nv: "replaced"\nj: _ @embed(file=r.json)'
      : 'package r\nv: "replaced"';
    this.#files["vendor/r/r.json"] = "[1]";
    this.#files["vendor/r/cond.cue"] = "@if(!prod)\n\npackage r\nc: 1";
    this.#files["vendor/r/sub/s.cue"] = 'package sub\nimport "repl.org/r"\nv: r.v + "!"';
    this.#files["vendor/r/sub/up.cue"] = "package r\nu: v";
  }

  #packages(): void {
    const r = this.#random;
    this.#files["lib/a.cue"] = 'package lib\nv: "lib"\nall: b: 1';
    this.#files["lib/b.cue"] = `${this.#condition(10)}package lib\nall: a: 2\nkeys: [for k, _ in all {k}]`;
    if (r.chance(60)) this.#files["lib/other.cue"] = 'package other\nv: "other"';
    if (r.chance(60)) this.#files["lib/deep/d.cue"] = 'package deep\nv: "deep"';
    if (r.chance(30)) this.#files["lib/deep/more.cue"] = 'package lib\nw: "below"';
    if (r.chance(30)) this.#files["lib/up.cue"] = 'package deep\nu: "from above"';
    if (r.chance(60)) this.#files["lib-x/x.cue"] = `package libx\nimport "example.com/m/lib"\nv: lib.v + "x"`;
    if (r.chance(40)) this.#files["nested/pkg/p.cue"] = 'package pkg\nv: "pkg"';
    if (r.chance(20)) this.#files["toolsonly/x_tool.cue"] = "package toolsonly\nv: 1";
    if (r.chance(15)) this.#files["lib/tagged.cue"] = 'package lib\nenv: string | *"d" @tag(env)';
    if (r.chance(4)) this.#files["lib/broken.cue"] = "package zzz\n{{";
    if (r.chance(4)) this.#files["lib/cycle.cue"] = 'package lib\nimport "example.com/m/lib/deep"\nz: deep.v';
  }

  #vendored(): void {
    const r = this.#random;
    for (const kind of ["pkg", "gen", "usr"]) {
      if (r.chance(35))
        this.#files[`cue.mod/${kind}/ext.org/v/v.cue`] = `package v\nv: "vendored"\nfrom: ${kind}: 1\nkeys: [for k, _ in from {k}]`;
    }
    if (r.chance(15)) this.#files["cue.mod/pkg/ext.org/above.cue"] = 'package v\nabove: "no"';
    if (r.chance(3)) this.#files["cue.mod/pkg/example.com/m/lib/l.cue"] = 'package lib\nv: "twice"';
    if (r.chance(3)) this.#files["cue.mod/usr/repl.org/r/r.cue"] = 'package r\nv: "twice"';
    // A cue.mod without module.cue is read more kindly here than by CUE: see docs/decisions/cue-loader.md.
    if (!this.#files["cue.mod/module.cue"]) for (const f of Object.keys(this.#files)) if (f.startsWith("cue.mod/")) delete this.#files[f];
  }

  #data(target: string): void {
    for (const dir of new Set([target, "."])) for (const [name, text] of Object.entries(DATA)) this.#files[join(dir, name)] = text;
    this.#files[join(target, "data/sub/link.json")] = { link: "../a.json" };
    if (this.#random.chance(20)) this.#files[join(target, "nested/n.json")] = "1";
    this.#files["up.json"] = "1";
    this.#files[join(target, "top.txt")] = "top";
  }

  /** The files of the instance, and what lies above it. */
  #instance(target: string): void {
    const r = this.#random;
    const dirs = target === "." ? ["."] : target === "app" ? [".", "app"] : [".", "app", "app/inner"];
    for (const dir of dirs) {
      const count = dir === target ? 1 + r.below(4) : r.below(3);
      for (let i = 0; i < count; i++) this.#files[join(dir, this.#fileName())] = this.#file();
      if (r.chance(3)) this.#files[join(dir, "dir.cue")] = { dir: true };
      if (r.chance(1)) this.#files[join(dir, "gone.cue")] = { link: "nowhere.cue" };
      if (r.chance(4)) this.#files[join(dir, "linked.cue")] = { link: "main.cue" };
    }
    this.#files[join(target, "main.cue")] =
      `${r.chance(3) ? "@ignore()\n" : ""}package ${this.#name}\nmain: 1\nkeys: [for k, _ in all {k}]\nall: main: 1\n${ASKS}`;
  }

  #fileName(): string {
    const r = this.#random;
    const base = r.pick(["a", "b", "c", "z", "B", "é", "a-b"]);
    if (r.chance(80)) return `${base}.cue`;
    return r.pick([
      `_${base}.cue`,
      `.${base}.cue`,
      `${base}_test.cue`,
      `${base}_tool.cue`,
      `${base}.CUE`,
      `${base}.cue.txt`,
      `${base}_testx.cue`,
    ]);
  }

  #condition(percent: number): string {
    const r = this.#random;
    if (!r.chance(percent)) return "";
    if (r.chance(8)) return r.pick(["@ignore()\n\n", "@if(prod)\n@if(debug)\n\n", "// comment\n@ignore(x)\n// more\n\n"]);
    return `@if(${r.chance(5) ? r.pick(BROKEN_CONDITIONS) : r.pick(CONDITIONS)})\n\n`;
  }

  #file(): string {
    const r = this.#random;
    if (r.chance(1)) return r.pick(["{{", "\uFEFFpackage p\n", "package p package q", "", "// only a comment"]);
    const n = this.#count++;
    const clause = r.chance(86) ? `package ${this.#name}\n` : r.pick(["package other\n", "package _\n", "", `package ${this.#name}\n`]);
    const embeds = r.chance(30);
    const extern = embeds && r.chance(95) ? "@extern(embed)\n\n" : "";
    const imports = r.list(2, () => this.#import());
    const unique = [...new Map(imports.map((i) => [i[1], i])).values()];
    const lines = [
      ...unique.map(([path], i) => `import i${i} "${path}"`),
      ...unique.map(([, name], i) => this.#use(`f${n}_${i}`, `i${i}`, name)),
      `all: k${9 - n}: ${n}`,
      ...r.list(1, () => this.#tagged(n)),
      ...(embeds ? r.list(2, (i) => `e${n}_${i}: ${extern ? "_" : "0"} @embed(${r.chance(8) ? r.pick(ODD_EMBEDS) : r.pick(EMBEDS)})`) : []),
      ...(embeds && r.chance(10) ? ["@embed(file=data/sub/e.json)"] : []),
      ...(r.chance(4) ? [`same: ${r.below(2)}`] : []),
      ...(r.chance(2) ? [`bad${n}: nosuch.field`] : []),
    ];
    return `${this.#condition(18)}${extern}${clause}${lines.join("\n")}\n`;
  }

  #import(): ImportSpec {
    const r = this.#random;
    if (r.chance(5)) return r.pick(ODD_IMPORTS);
    if (r.chance(15))
      return r.pick([
        ["strings", "strings"],
        ["encoding/json", "json"],
      ] as const);
    if (r.chance(20) && Object.keys(this.#files).some((f) => f.includes("/ext.org/v/"))) return ["ext.org/v", "v"];
    if (r.chance(40) && this.#files["cue.mod/local-module.cue"])
      return r.pick([
        ["repl.org/r", "r"],
        ["repl.org/r@v0", "r"],
        ["repl.org/r/sub", "sub"],
      ] as const);
    const there = OWN_IMPORTS.filter(
      ([path]) => r.chance(6) || Object.keys(this.#files).some((f) => parent(f) === path.replace(/:.*/, "")),
    );
    const [path, name] = r.pick(there.length > 0 ? there : OWN_IMPORTS);
    const version = r.chance(15) ? `@${r.chance(85) ? this.#major : "v3"}` : "";
    const [location, qualifier] = path.split(":");
    return [`example.com/m/${location}${version}${qualifier ? `:${qualifier}` : ""}`, name];
  }

  #use(label: string, local: string, name: string): string {
    if (name === "strings") return `${label}: ${local}.ToUpper("x")`;
    if (name === "json") return `${label}: ${local}.Marshal({a: 1})`;
    return this.#random.chance(50) ? `${label}: ${local}` : `${label}: ${local}.v`;
  }

  #tagged(n: number): string {
    const r = this.#random;
    if (r.chance(6)) {
      return r.pick([
        `l${n}: [{x: string @tag(env)}]`,
        `o${n}?: string @tag(env)`,
        `if true {y${n}: string @tag(env)}`,
        `t${n}: string | *"d" @tag(1x)`,
        `t${n}: _ | *1 @tag(num,type=float)`,
        `t${n}: string | *"d" @tag(who,var=nobody)`,
        `t${n}: string | *"d" @tag()`,
      ]);
    }
    return r.pick([
      `t${n}: string | *"d" @tag(env)`,
      `t${n}: string | *"d" @tag(env,short=prod|debug)`,
      `t${n}: int | *1 @tag(num,type=int)`,
      `t${n}: number | *1 @tag(num,type=number)`,
      `t${n}: bool | *false @tag(flag,type=bool)`,
      `t${n}: string | *"d" @tag(sys,var=os)`,
      `t${n}: string | *"d" @tag(cpu,var=arch)`,
      `u${n}: {in: string | *"d" @tag(env), out: in + "!"}`,
      `t${n}: string | *"d" @tag(env)\nr${n}: "<\\(t${n})>"`,
    ]);
  }
}

function join(dir: string, name: string): string {
  return dir === "." ? name : `${dir}/${name}`;
}

function parent(file: string): string {
  return file.includes("/") ? file.slice(0, file.lastIndexOf("/")) : ".";
}
