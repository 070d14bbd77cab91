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

/** Components of one small file each, which use one another in tens. */
export function nodes(dir: string, count: number): string {
  const one = (index: number): string => {
    const from = index % 10 === 0 ? '{do: "scratch"}' : `{do: "load", from: c${index - 1}}`;
    return `c${index}: #up: [${from}, {do: "mkdir", path: "/${index}"}]`;
  };
  return write(dir, Array.from({ length: count }, (_, index) => one(index)).join("\n"));
}

/** Processes of this machine, each another one to dagger. */
export function hostNodes(dir: string, count: number): string {
  const one = (index: number): string => `c${index}: #up: [{do: "host", args: ["true", "${index}"]}]`;
  return write(dir, Array.from({ length: count }, (_, index) => one(index)).join("\n"));
}

/** As `upload`, with patterns that leave out what is not wanted, onto an image from a registry that asks for a login. */
export function uploadOnto(dir: string, ref: string): string {
  const local = '{do: "local", dir: "src", include: ["**/*.txt", "big*"], exclude: ["**/node_modules", "*.tmp", "!keep.tmp"]}';
  return write(dir, `upload: #up: [{do: "fetch-container", ref: "${ref}"}, {do: "copy", from: [${local}], dest: "/src"}]`);
}

/** A module as large projects have them: a package of definitions, one for each service, and one that brings them together. */
export function packageTree(dir: string, services: number): string {
  write(join(dir, "cue.mod"), "", "module.cue", 'module: "example.test/tree"\nlanguage: version: "v0.9.0"\n');
  write(join(dir, "lib"), "", "lib.cue", treeLibrary);
  const name = (index: number): string => `service${index}`;
  for (let index = 0; index < services; index++) {
    const needs = index === 0 ? "" : `\tneeds: ["${name(index - 1)}"]\n`;
    const text = `package ${name(index)}

import "example.test/tree/lib"

service: lib.#Service & {
	name:     "${name(index)}"
	replicas: ${1 + (index % 5)}
${needs}\tports: {http: ${8000 + index}, metrics: ${9000 + index}}
	env: {LOG_LEVEL: "info", PORT: "\\(ports.http)"}
}
`;
    write(join(dir, name(index)), "", "service.cue", text);
  }
  const all = Array.from({ length: services }, (_, index) => name(index));
  const text = `package tree

import (
${all.map((one) => `\t"example.test/tree/${one}"`).join("\n")}
)

services: {
${all.map((one) => `\t(${one}.service.name): ${one}.service`).join("\n")}
}
images: {for name, s in services {(name): s.build}}
manifests: [for s in services for m in s.manifests {m}]
`;
  return write(dir, "", "tree.cue", text);
}

const treeLibrary = `package lib

import "strings"

#Port: int & >0 & <65536
#Service: {
	name!:    =~"^[a-z][a-z0-9]*$"
	replicas: *1 | int & >0
	needs: [...string]
	ports: [string]: #Port
	env: [string]: string
	labels: {app: name, tier: *"backend" | "frontend", team: strings.ToUpper(name)}
	build: #up: [
		${image},
		{do: "exec", args: ["build", name], env: {for k, v in env {"SERVICE_\\(k)": v}}},
		for need in needs {{do: "exec", args: ["link", need]}},
		{do: "write-file", dest: "/manifest", content: strings.Join([for p, n in ports {"\\(p)=\\(n)"}], ",")},
	]
	manifests: [#Deployment & {metadata: {"name": name, "labels": labels}, spec: {"replicas": replicas, template: containers: [{
		"name":  name
		image:   "registry.example.test/\\(name):latest"
		"ports": [for p, n in ports {name: p, containerPort: n}]
		"env":   [for k, v in env {name: k, value: v}]
	}]}}, #Manifest & {kind: "Service", metadata: {"name": name, "labels": labels}, spec: {"ports": [for p, n in ports {name: p, port: n}]}}]
}
#Manifest: {apiVersion: *"v1" | string, kind: string, metadata: {name: string, labels: [string]: string}, spec: {...}}
#Deployment: #Manifest & {apiVersion: "apps/v1", kind: "Deployment", spec: {replicas: int, template: containers: [...#Container]}}
#Container: {name: string, image: string, ports: [...{name: string, containerPort: #Port}], env: [...{name: string, value: string}]}
`;

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

function write(dir: string, text: string, file = "bench.cue", whole = `// Made by the benchmark.\npackage bench\n\n${text}\n`): string {
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, file), whole);
  return dir;
}
