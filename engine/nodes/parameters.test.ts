// Parameters in scripts: a real shell takes each value as it is, wherever it stands.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { fieldsOf, inArgument, inScript, type Known, variableOf, variablesOf } from "./parameters.ts";

const nasty = `a b  "c" 'd' $HOME \`id\` * \\ ; #`;
const dmg: Known = {
  source: { name: "dmg", kind: "release", location: "https://example.com/list.json" },
  root: "/in/dmg",
  version: { id: "md5:0e500a4eb2a162f8098575daced142e1", detail: { build: nasty, tag_name: "v1" } },
};
const tests: Known = { source: { name: "my tests", kind: "path", location: "out", path: "/sub" }, root: "/out/my tests" };
const all = [dmg, tests];

function shell(script: string): string {
  return execFileSync("sh", ["-c", inScript(script, all)], {
    env: { PATH: process.env["PATH"] ?? "", ...variablesOf(all) },
    encoding: "utf8",
  });
}

test("a shell takes a value as one word, between quotes and without, and in here-documents", () => {
  assert.equal(shell("printf '[%s]' ${dmg:BUILD}"), `[${nasty}]`);
  assert.equal(shell('printf "[%s]" "x${dmg:BUILD}y"'), `[x${nasty}y]`);
  assert.equal(shell("printf '[%s]' 'x${dmg:BUILD}y'"), `[x${nasty}y]`);
  assert.equal(shell("printf '[%s]' ${my tests:ROOT}/${dmg:ID}"), "[/out/my tests/0e500a4e]");
  assert.equal(shell("cat <<END\nx${dmg:BUILD}y\nEND\nprintf %s ${dmg:ID}"), `x${nasty}y\n0e500a4e`);
  assert.equal(shell("cat <<'END'\nx${dmg:BUILD}y $HOME\nEND\nprintf %s ${dmg:ID}"), `x${nasty}y $HOME\n0e500a4e`);
  assert.equal(shell("cat <<-END\n\t'${dmg:ID}'\n\tEND\n"), "'0e500a4e'\n");
  assert.equal(shell("# it's ${dmg:ID} here\nprintf %s \"it's ${dmg:ID}\" \\' a#b"), "it's 0e500a4e'a#b");
});

test("what is no parameter stays as it is", () => {
  for (const text of ["${HOME}", "${x:-y}", "${x:1:2}", "${x: 3}", "$((1 << 2))", "echo \\${dmg:BUILD}"])
    assert.equal(inScript(text, all), text);
});

test("an argument has the values themselves", () => {
  assert.equal(inArgument("--build=${dmg:BUILD} ${my tests:ROOT}", all), `--build=${nasty} /out/my tests`);
});

test("fields are those of the kind and of the version, and each is a variable", () => {
  assert.deepEqual(fieldsOf(dmg), {
    BUILD: nasty,
    TAG_NAME: "v1",
    KIND: "release",
    LOCATION: "https://example.com/list.json",
    ID: "0e500a4e",
    HASH: "md5:0e500a4eb2a162f8098575daced142e1",
    ROOT: "/in/dmg",
  });
  assert.equal(variableOf("my tests", "ROOT"), "MY_TESTS_ROOT");
  assert.equal(variableOf("7zip", "ROOT"), "_7ZIP_ROOT");
  assert.equal(variablesOf(all)["MY_TESTS_PATH"], "/sub");
});

const fails = (work: () => unknown, code: string, message: RegExp): void => {
  assert.throws(
    work,
    (error) => error instanceof UserError && error.diagnostics[0]?.code === code && message.test(error.diagnostics[0].message),
  );
};

test("a field or source that is not known, and two sources of one variable, are errors", () => {
  fails(() => inScript("echo ${dmg:BILD}", all), "unknown-parameter", /dmg has no field BILD/);
  fails(() => inScript("cat <<E\n${dgm:BUILD}\nE\n", all), "unknown-parameter", /neither takes nor gives the source "dgm"/);
  fails(() => inArgument("${other:ROOT}", all), "unknown-parameter", /"other"/);
  const twin: Known = { source: { name: "my-tests", kind: "path", location: "x" }, root: "/in/my-tests" };
  fails(() => variablesOf([tests, twin]), "parameter-collision", /both be the variable MY_TESTS_/);
});
