// What a node's command becomes: arguments, scripts, and the config that runs them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf, configOf, named, type Taken } from "./config.ts";
import { checkNode, givenBy, inOrder, withFollowers } from "./graph.ts";
import { type Node, type NodeParameters, nodeOf } from "./node.ts";
import type { Known } from "./parameters.ts";

const web: Known = {
  source: { name: "web", kind: "path", location: "web" },
  root: "/in/web",
  version: { id: "sha256:0123456789", detail: {} },
};
const known = [web];

test("a program gets its arguments as they are, a shell its text with variables, one text goes to a shell", () => {
  assert.deepEqual(commandOf({ command: ["ls", "-c", "${web:ROOT}"] }, known).args, ["ls", "-c", "/in/web"]);
  assert.deepEqual(commandOf({ command: ["/bin/bash", "-ec", "ls ${web:ROOT}", "${web:ID}"] }, known).args, [
    "/bin/bash",
    "-ec",
    'ls "${WEB_ROOT}"',
    "01234567",
  ]);
  assert.deepEqual(commandOf({ command: ["ls ${web:ROOT} | wc"] }, known).args, ["sh", "-ec", 'ls "${WEB_ROOT}" | wc']);
});

test("a script is a file in the container; only one of a shell is rewritten", () => {
  const plain = commandOf({ command: ["ci/test.sh", "${web:ID}"], script: "ls ${web:ROOT}" }, known);
  assert.deepEqual(plain.args, ["sh", "-e", "/node/test.sh", "01234567"]);
  assert.deepEqual(plain.files, [{ do: "write-file", dest: "/node/test.sh", content: 'ls "${WEB_ROOT}"', mode: 0o755 }]);
  assert.deepEqual(commandOf({ command: ["x.sh"], script: "#!/usr/bin/env bash\nls" }, known).args, ["/node/x.sh"]);
  const python = commandOf({ command: ["x.py"], script: "#!/usr/bin/python3\nprint('${web:ROOT}')" }, known);
  assert.match(JSON.stringify(python.files), /print\('\$\{web:ROOT\}'\)/);
});

const parameters: NodeParameters = {
  labels: ["b", "a"],
  inputs: ["web"],
  outputs: ["site"],
  image: "busybox",
  platform: "linux/arm64",
  command: ["ls"],
};

test("the config has the sources, the image for its platform, the command, and where results go", () => {
  const taken: Taken = { known: web, from: { dir: "/shop/web" }, path: "/", secrets: ["id=env:TOKEN"] };
  const site: Known = { source: { name: "site", kind: "path", location: "site" }, root: "/out/site" };
  const more = { fresh: true, secretEnv: ["PASS"], secrets: ["private.PASS=env:PASS"] };
  const config = configOf(nodeOf(parameters), [taken], [site], more);
  assert.match(config.text, /^source0: \{#up: \[\.\.\.\]\} @dagger\(input\)$/m);
  assert.match(config.text, /"platform": "linux\/arm64"/);
  assert.match(config.text, /"from": source0,/);
  assert.match(config.text, /"always": true/);
  assert.match(config.text, /"PASS": \{\s+"secret": "private\.PASS"/);
  assert.deepEqual(config.typedInputs, [{ kind: "dir", text: "source0=/shop/web" }]);
  assert.deepEqual(config.secrets, ["id=env:TOKEN", "private.PASS=env:PASS"]);
  assert.deepEqual(config.saved, ["given/0"]);
  assert.deepEqual(named({ command: ["echo $A ${B} $CD"], script: "x" }, ["A", "B", "C", "D"]), ["A", "B"]);
});

test("the id of a node is the same in any order of names, and another one for other parameters", () => {
  const { id } = nodeOf(parameters);
  assert.equal(nodeOf({ ...parameters, labels: ["a", "b", "a"] }).id, id);
  for (const other of [
    { labels: [] },
    { outputs: [] },
    { image: "alpine" },
    { platform: "linux/amd64" },
    { command: ["ls", "-l"] },
    { script: "" },
  ])
    assert.notEqual(nodeOf({ ...parameters, ...other }).id, id);
});

test("nodes come after those whose results they take, also by way of a part, and a circle is refused with its way", () => {
  const path = (name: string, parent?: string): Known["source"] => ({
    name,
    kind: "path",
    location: name,
    ...(parent === undefined ? {} : { parent }),
  });
  const sources = [path("a"), path("b"), path("part", "b"), path("c")];
  const node = (inputs: string[], outputs: string[]): Node => nodeOf({ ...parameters, inputs, outputs });
  const [first, second] = [node(["a"], ["b"]), node(["part"], ["c"])];
  assert.deepEqual(inOrder([second, first], sources), [first, second]);
  assert.deepEqual(withFollowers([first], [second, first], sources), [second, first]);
  assert.deepEqual(withFollowers([second], [second, first], sources), [second]);
  checkNode(second, sources, [first]);
  assert.throws(
    () => checkNode(node(["c"], ["a"]), sources, [first, second]),
    /c → [0-9a-f]{8} → a → [0-9a-f]{8} → part → [0-9a-f]{8} → c/,
  );
  assert.throws(() => checkNode(node(["part"], ["b"]), sources, []), /part → [0-9a-f]{8} → part/);
  assert.deepEqual(givenBy(node(["a"], [])), [`node-${node(["a"], []).id.slice(0, 8)}`]);
});
