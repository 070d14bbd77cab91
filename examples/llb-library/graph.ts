// A graph by hand: two images side by side, only what they add, printed as a daemon would get it.
import { bind, cache, copy, diff, image, marshal, merge, printDefinition, scratch } from "cuellb/llb";

const base = image("debian:12").dir("/src").env("CFLAGS", "-O2");
const sources = scratch().file(copy(image("example.com/sources:1"), "/hello.c", "/"));

// Every method gives a new state: `base` is still the plain image.
const tools = base.run(["apt-get", "install", "-y", "gcc"], { mounts: [cache("/var/cache/apt", "apt")], name: "install gcc" }).root;
const make = tools.run(["gcc", "-o", "/out/hello", "hello.c"], {
  name: "compile",
  mounts: [bind("/src", sources, { readonly: true }), bind("/out", scratch())],
});

const program = make.mount("/out");
const result = merge([base, diff(base, tools), scratch().file(copy(program, "/hello", "/usr/bin/", { createDestPath: true }))]);

const definition = await marshal(result, { platform: "linux/amd64" });
process.stdout.write(printDefinition(definition));
