// fetch-oci on a real buildkitd: an OCI layout beside the config is a base image, with its own config, and no registry is asked.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { busyboxConfig, busyboxLayout, type TestLayout } from "../support/images.ts";
import { type Bench, startBench } from "./dagger.ts";

let bench: Bench;
let layout: TestLayout;

before(async () => {
  [bench, layout] = await Promise.all([startBench(), busyboxLayout()]);
});
after(async () => {
  await bench?.end();
});

/** Runs a config with the layout copied beside it as `image`. */
function run(name: string, op: string) {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  cpSync(layout.dir, join(dir, "image"), { recursive: true });
  const exec = '{do: "exec", args: ["sh", "-c", "printf %s:%s $FROM_IMAGE $PWD > /out"]}';
  writeFileSync(join(dir, "up.cue"), `package up\n\nout: {\n\tstring\n\t#up: [${op}, ${exec}, {do: "export", source: "/out"}]\n}\n`);
  return bench.dagger(["compute", dir]);
}

test("an image of a layout is found alone, by tag and by digest, and its environment and directory apply", async () => {
  for (const [name, which] of [
    ["alone", ""],
    ["tag", `, tag: "${layout.tag}"`],
    ["digest", `, digest: "${layout.digest}"`],
  ] as const) {
    const { code, stdout, stderr } = await run(name, `{do: "fetch-oci", dir: "image"${which}}`);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { out: `busybox:${busyboxConfig.WorkingDir}` });
  }
});

test("a layout that is not there, and a tag that it does not have, are told at their line before anything runs", async () => {
  for (const [name, op] of [
    ["no-layout", '{do: "fetch-oci", dir: "nowhere"}'],
    ["no-tag", '{do: "fetch-oci", dir: "image", tag: "nope"}'],
  ] as const) {
    const { code, stdout, stderr } = await run(name, op);
    assert.deepEqual([code, stdout], [2, ""]);
    assert.match(stderr, /error\[layout-(missing|tag)\]/);
    assert.match(stderr, /up\.cue:5:/);
  }
});
