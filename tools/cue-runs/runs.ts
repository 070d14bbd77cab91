// What the build lets CUE do to see which of its functions runs use, and which to optimize: configs as people write them, with their mistakes.
import { readFileSync } from "node:fs";
import { type Evaluator, readSource } from "../../runtime/cue/index.ts";
import type { File, Package, Request } from "../../runtime/cue/protocol.ts";

/** What runs follow: see engine/config/config.ts. */
export const FOLLOW: readonly string[] = ["#up"];

const MODULE: Request = {
  call: "module",
  files: [{ name: "module.cue", text: 'module: "example.com/m@v0"\nlanguage: version: "v0.17.0"\n' }],
};

/** Many components, with definitions, comprehensions, interpolation and references; ten ops each. */
export function components(count: number, wrong = false): string {
  return `
import ("list", "strings", "encoding/json")

name: string | *"world"
#Step: {do: "exec", args: [...string], dir: *"/" | string, env: [string]: string, mount?: [string]: _}
#Task: {
	id!:   int & >=0
	name:  "task-\\(id)"
	kind:  *"build" | "test"
	after: [...]
	#up: [
		{do: "fetch-container", ref: "docker.io/library/debian:bookworm"},
		for dependency in after {{do: "copy", from: dependency, src: "/out"}},
		for step in list.Range(0, 9, 1) {
			#Step & {args: ["run", name, "\\(step)"], env: {NAME: strings.ToUpper(name), STEP: "\\(step)"}, if kind == "test" {dir: "/test"}}
		},
		{do: "write-file", dest: "/meta", content: json.Marshal({"name": name, "kind": kind})},
	]
}
tasks: {for i in list.Range(0, ${count}, 1) {
	"t\\(i)": #Task & {id: i, if mod(i, 2) == 1 {kind: "test"}, if i > 0 {after: [tasks["t\\(i-1)"]]}${wrong ? ', kinds: "x"' : ""}}
}}
value: {string, #up: [{do: "export", source: "/x"}]}
waits: "\\(value)!"
`;
}

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** What most configs use. */
export const usual: string = read("usual.cue");
/** Builtins that some configs use, and the rarer forms of the language. */
export const rarer: string = read("rarer.cue");

/** Mistakes, one kind in each. */
const wrong = [
  "a: 1 & 2\nb: {c: string} & {c: 3}\n",
  "a: [1,\nb: }",
  '#D: {name: string, port: int & <=65535}\na: #D & {nam: "x"}\nb: #D & {name: 1}\nc: #D & {name: "x", port: 70000}\n',
  'a: b\nc: strings.ToUpper("x")\n',
  'import "strings"\na: strings.ToUppr("x")\n',
  'import "string"\na: string.ToUpper("x")\n',
  'import "strings"\na: 1\n',
  '#U: {do: "a", x: int} | {do: "b", y: string}\na: #U & {do: "b", y: 3}\n',
  "a: b + 1\nb: a - 1\nc: d\nd: c & {e: d}\n",
  'a: string\nb: "\\(a)!"\nc: [for x in a {x}]\n#N: {n!: int}\nd: #N\n',
  "a: [1, 2][5]\nb: {c: 1}.d\ne: 1 / 0\nf: len(3)\n",
  'a: >5 & 3\nb: =~"^x" & "y"\nc: [...int] & ["x"]\nd: [int, int] & [1]\n',
  "a: 'x'\nb: \"unclosed\n",
  "package b-c\n",
];

/** Loads of configs that need no file. */
export function load(text: string): Request {
  return { call: "load", packages: alone(text), fills: [], follow: FOLLOW };
}

export function alone(text: string): Package[] {
  return [{ importPath: "_", name: "", own: true, version: "", files: [{ name: "config.cue", text }], imports: {} }];
}

/** All that runs of the instances in some directories ask, one run each, and runs of the configs of this page. */
export async function everyRun(evaluator: Evaluator, directories: readonly string[], library: string): Promise<Request[][]> {
  const runs: Request[][] = [];
  for (const dir of directories) {
    const { packages, tags } = await readSource(evaluator, dir, { cwd: dir, library });
    const scans = packages.map(({ files }): Request => ({ call: "scan", files, tags: [], version: "v0.17.0" }));
    runs.push([MODULE, ...scans, { call: "load", packages, ...tags, fills: [], follow: FOLLOW }]);
  }
  const files = (text: string): [File] => [{ name: "config.cue", text }];
  const once = (text: string): Request[] => [MODULE, { call: "scan", files: files(text), tags: [], version: "" }, load(text)];
  const name = { path: "name", text: "x", origin: "-i name" };
  runs.push([...once(components(20)), { call: "fill", fills: [name, { path: "value", json: '"x"', origin: "config.cue" }] }]);
  // Large enough for Go to collect garbage.
  runs.push(once(components(200)), once(components(3, true)), once(usual), [...once(rarer), { call: "fill", fills: [name] }]);
  for (const text of wrong) runs.push(once(text), [{ call: "scan", files: files(text), tags: [], version: "" }]);
  const show = { expression: "", format: "cue", all: false, concrete: false } as const;
  runs.push([{ call: "show", packages: alone(usual), fills: [], follow: FOLLOW, show }]);
  runs.push([{ call: "show", packages: alone(usual), fills: [], follow: FOLLOW, show: { ...show, format: "json", expression: "tasks" } }]);
  runs.push([{ call: "format", files: files(usual), version: "" }], [{ call: "data", files: files("a: [1]") }]);
  return runs;
}
