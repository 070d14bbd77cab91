// Configs that the benchmark runs, written into directories of their own.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const image = '{do: "fetch-container", ref: "docker.io/library/busybox:latest"}';

/** A chain of `length` execs, each reading what the one before wrote. Through a mount: one filesystem has room for some 500 layers only. */
export function chain(dir: string, length: number): string {
  const one = (index: number): string => {
    const mount = index === 0 ? "" : `, mount: "/in": {from: _c${index - 1}, readonly: true}`;
    return `_c${index}: #up: [${image}, {do: "exec", args: ["touch", "/${index}"]${mount}}]`;
  };
  return write(dir, [...Array.from({ length }, (_, index) => one(index)), `chain: #up: [{do: "load", from: _c${length - 1}}]`].join("\n"));
}

/** The directory `src` beside the config goes to the daemon. */
export function upload(dir: string): string {
  return write(dir, 'upload: #up: [{do: "local", dir: "src"}]');
}

/** `count` files come back into `out` beside the config. */
export function download(dir: string, count: number): string {
  const script = `mkdir /out; i=0; while [ $i -lt ${count} ]; do echo $i > /out/$i; i=$((i+1)); done`;
  return write(dir, `download: #up: [${image}, {do: "exec", args: ["sh", "-c", "${script}"]}, {do: "save-dir", src: "/out", dest: "out"}]`);
}

/** `ops` operations in components of ten, each using the one before: what the compiler has to read. */
export function components(dir: string, ops: number): string {
  const one = (index: number): string => {
    const execs = Array.from({ length: 9 }, (_, step) => `\t{do: "exec", args: ["echo", "${index}.${step}"]},`);
    const first = index === 0 ? image : `{do: "load", from: c${index - 1}}`;
    return `c${index}: #up: [\n\t${first},\n${execs.join("\n")}\n]`;
  };
  return write(dir, Array.from({ length: ops / 10 }, (_, index) => one(index)).join("\n"));
}

/** `ops` operations in components of ten, written as people write many: definitions, comprehensions, interpolation. */
export function tasks(dir: string, ops: number): string {
  return write(
    dir,
    `import "list"

#Step: {
	do:    "exec"
	args:  [...string]
	dir:   *"/" | string
	env: [string]: string
}
#Task: {
	id!:   int & >=0
	name: "task-\\(id)"
	kind: *"build" | "test"
	#up: [
		${image},
		for step in list.Range(0, 9, 1) {
			#Step & {
				args: ["run", name, "\\(step)"]
				env: {NAME: name, STEP: "\\(step)"}
				if kind == "test" {dir: "/test"}
			}
		},
	]
}
tasks: {
	for i in list.Range(0, ${ops / 10}, 1) {
		"t\\(i)": #Task & {id: i, if mod(i, 2) == 1 {kind: "test"}}
	}
}`,
  );
}

/** Fills `dir` with `count` files of 1 KB, 100 a directory. Each `seed` gives other contents. */
export function smallFiles(dir: string, count: number, seed: string): void {
  for (let index = 0; index < count; index++) {
    const folder = join(dir, String(Math.floor(index / 100)));
    if (index % 100 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${index}.txt`), `${seed} ${index} `.repeat(100).slice(0, 1024));
  }
}

function write(dir: string, text: string): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, "bench.cue"), `// Made by the benchmark.\npackage bench\n\n${text}\n`);
  return dir;
}
