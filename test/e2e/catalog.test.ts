// Packages found, shown and added from a real registry: modules that the real cue published there, beside images that are no modules.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cue, moduleText, writeTree } from "../support/cue.ts";
import { busyboxLayout } from "../support/images.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Outcome, runDagger } from "./dagger.ts";

const dir = mkdtempSync(join(tmpdir(), "catalog-"));
let registry: TestRegistry;
let closed: TestRegistry;
let running = true;

function dagger(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const base = { PATH: process.env["PATH"] ?? "", HOME: dir, NO_COLOR: "1", CUE_CACHE_DIR: join(dir, "cue") };
  return runDagger(["catalog", ...args], join(dir, "app"), { ...base, CUE_REGISTRY: registry.host, ...env });
}

async function publish(module: string, versions: readonly string[], files: Readonly<Record<string, string>>): Promise<void> {
  const place = writeTree(join(dir, module.replaceAll("/", "-")), { "cue.mod/module.cue": moduleText(module), ...files });
  for (const version of versions) await cue(place, { HOME: dir, CUE_REGISTRY: registry.host }, "mod", "publish", version);
}

before(async () => {
  [registry, closed] = await Promise.all([startRegistry(), startRegistry({ login: { username: "ann", password: "secret" } })]);
  const doc = "// Package deploy brings it there.\n//\n// Tags: rollout\n";
  await publish("example.com/lib@v0", ["v0.1.0", "v0.2.0", "v0.3.0-rc.1"], {
    "deploy/deploy.cue": `${doc}package deploy\n\n// Deploys.\n#App: {\n\t// Where.\n\thost!: string\n\t#up: []\n}\n`,
    "words/words.cue": "package words\n\nhello: 1\n",
  });
  await publish("example.com/greet@v0", ["v0.1.0"], { "greet.cue": "// Package greet greets.\npackage greet\n\n#Hi: {#up: []}\n" });
  const { dir: layout } = await busyboxLayout();
  const target = `docker://${registry.host}/example.com/image:v1.0.0`;
  execFileSync("skopeo", ["copy", "--dest-tls-verify=false", `oci:${layout}:latest`, target], { stdio: "ignore" });
  writeTree(join(dir, "app"), {
    "cue.mod/module.cue": `// Kept.\n${moduleText("example.com/app@v0", {}, "v0.17.0")}`,
    "app.cue": "package app\n",
  });
});
after(async () => {
  if (running) await registry.stop();
  await closed.stop();
  // Directories of cue's cache cannot be written to.
  execFileSync("chmod", ["-R", "u+w", dir]);
  rmSync(dir, { recursive: true, force: true });
});

test("search lists the modules of a registry by their paths, with their newest versions, and no images", async () => {
  const all = await dagger(["search"]);
  assert.equal(all.code, 0, all.stderr);
  assert.match(all.stdout, /^example\.com\/greet@v0\.1\.0\nexample\.com\/lib@v0\.2\.0\n/m);
  assert.match(all.stdout, /^go /m);
  assert.doesNotMatch(all.stdout, /image@/);
  assert.equal(all.stderr, "");
  assert.equal((await dagger(["search", "example", "lib"])).stdout, "example.com/lib@v0.2.0\n");
  const found = JSON.parse((await dagger(["search", "greet", "--output", "json"])).stdout) as object;
  assert.deepEqual(found, {
    packages: [{ importPath: "example.com/greet", summary: "", definitions: [], version: "v0.1.0", registry: registry.host }],
    registries: [{ host: registry.host, state: "listed" }],
    near: [],
  });
});

test("only modules below the prefix of a registry are of it; a prefix may be left out of the names of its repositories", async () => {
  const other = await dagger(["search", "greet"], { CUE_REGISTRY: `other.test=${registry.host},none` });
  assert.equal(other.stdout, "");
  assert.match(other.stderr, /^There is no package for greet$/m);
  const config = `inline:moduleRegistries: "there.test": {registry: "${registry.host}/example.com", stripPrefix: true}\ndefaultRegistry: registry: "none"`;
  const stripped = await dagger(["search", "there.test"], { CUE_REGISTRY: config });
  assert.equal(stripped.stdout, "there.test/greet@v0.1.0\nthere.test/lib@v0.2.0\n", stripped.stderr);
});

test("a registry that refuses the list is told; a registry without one finds what is given by its whole path", async () => {
  const refused = await dagger(["search", "go"], { CUE_REGISTRY: closed.host });
  assert.equal(refused.code, 0);
  assert.match(refused.stdout, /^go /m);
  assert.match(refused.stderr, /^The registry .* refuses access to the list of modules$/im);
  const config = `inline:defaultRegistry: {registry: "${registry.host}", pathEncoding: "hashAsRepo"}`;
  const hashed = await dagger(["search", "example.com/lib"], { CUE_REGISTRY: config });
  assert.match(hashed.stderr, /only modules given by their whole path are found: its repositories are not named by their modules/);
});

test("show tells of a module its versions and packages, of a package what it gives", async () => {
  const module = await dagger(["show", "example.com/lib"]);
  assert.equal(
    module.stdout,
    "Module example.com/lib@v0.2.0\n    versions   v0.1.0 v0.2.0 v0.3.0-rc.1\n    packages   example.com/lib/deploy example.com/lib/words\n",
  );
  const shown = await dagger(["show", "example.com/lib/deploy@v0.1.0"]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(
    shown.stdout,
    /^import "example\.com\/lib\/deploy"\n\nPackage deploy brings it there\.\n\nModule example\.com\/lib@v0\.1\.0\n/,
  );
  assert.match(shown.stdout, /#App\n {4}Deploys\.\n {4}needs {6}host\n {4}gives {6}a filesystem\n/);
  const none = await dagger(["show", "example.com/lib/nothing"]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /has no package example\.com\/lib\/nothing in v0\.2\.0/);
  assert.match(none.stderr, /It has example\.com\/lib\/deploy, example\.com\/lib\/words/);
  const nobody = await dagger(["show", "nowhere.test/lib"]);
  assert.equal(nobody.code, 2);
  assert.match(nobody.stderr, /error\[module-not-found\]: No registry has a module with the package nowhere\.test\/lib/);
});

test("add puts the module of a package into deps, and prints the import; nothing is written for what is not there", async () => {
  const file = join(dir, "app/cue.mod/module.cue");
  const before = readFileSync(file, "utf8");
  const wrong = await dagger(["add", "example.com/lib/nothing"]);
  assert.equal(wrong.code, 2);
  assert.equal(readFileSync(file, "utf8"), before);
  const added = await dagger(["add", "example.com/lib/deploy"]);
  assert.equal(added.code, 0, added.stderr);
  assert.equal(added.stdout, 'import "example.com/lib/deploy"\n');
  assert.equal(added.stderr, "example.com/lib@v0.2.0 is in deps of cue.mod/module.cue\n");
  const whole = await dagger(["add", "example.com/greet@v0.1.0", "--output", "json"]);
  assert.deepEqual(JSON.parse(whole.stdout), {
    imports: ["example.com/greet"],
    added: { path: "example.com/greet", version: "v0.1.0" },
    modules: [
      { path: "example.com/greet", version: "v0.1.0" },
      { path: "example.com/lib", version: "v0.2.0" },
    ],
    hasModule: true,
  });
  const text = readFileSync(file, "utf8");
  assert.match(text, /"example\.com\/greet@v0": \{?\s*v: +"v0\.1\.0"/);
  await cue(join(dir, "app"), { HOME: dir }, "fmt", "--check", "./cue.mod/module.cue");
});

test("without the registry, what was fetched is shown and the library is searched", async () => {
  await registry.stop();
  running = false;
  const shown = await dagger(["show", "example.com/lib/deploy"]);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^import "example\.com\/lib\/deploy"/);
  const found = await dagger(["search", "golang"]);
  assert.match(found.stdout, /^go /);
  assert.match(found.stderr, /^Cannot get the list of modules from the registry/m);
  const offline = await dagger(["search", "golang", "--offline"]);
  assert.equal(offline.stderr, "");
});
