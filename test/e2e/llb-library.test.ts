// The libraries as a user has them: packed, installed, typed; and their examples on a real buildkitd.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { bind, image, marshal, printDefinition, scratch } from "../../compiler/llb/library/index.ts";
import { connect, createReceiver, services } from "../../runtime/client/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { busyboxConfig, busyboxLayout } from "../support/images.ts";
import { startRegistry } from "../support/registry.ts";
import { type Outcome, repository } from "./dagger.ts";

const example = join(repository, "examples/llb-library");
/** A project that has nothing but the packed package and what it depends on. */
const project = mkdtempSync(join(tmpdir(), "llb-library-"));
let packed: string[];
let daemon: TestDaemon;

function run(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...process.env, ...env }, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

async function pass(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const outcome = await run(program, args, cwd, env);
  assert.equal(outcome.code, 0, `${program} ${args.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
  return outcome;
}

before(async () => {
  const { stdout } = await pass("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], repository);
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  packed = files.map(({ path }) => path);
  const modules = join(project, "node_modules");
  for (const path of packed.filter((name) => name.startsWith("dist/lib/") || name === "package.json")) {
    cpSync(join(repository, path), join(modules, "cuellb", path));
  }
  const { dependencies } = JSON.parse(readFileSync(join(repository, "package.json"), "utf8")) as { dependencies: Record<string, string> };
  // The types of Node are what every TypeScript project on Node has.
  for (const name of [...Object.keys(dependencies), "@types/node", "undici-types"]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(repository, "node_modules", name), join(modules, name));
  }
  cpSync(example, project, { recursive: true });
  writeFileSync(join(project, "package.json"), '{ "type": "module", "private": true }\n');
  daemon = await startBuildkitd();
});
after(async () => {
  await daemon?.stop();
  rmSync(project, { recursive: true, force: true });
});

test("the package has what it needs to run, and nothing of how it is made", () => {
  const strange = packed.filter(
    (path) =>
      !/^(bin\/|dist\/(dagger|lib|run)\/|dist\/cue\.|examples\/|packages\/|(README|CHANGELOG)\.md$|(LICENSE|NOTICE)$|package\.json$|tools\/go\.mod$)/.test(
        path,
      ),
  );
  assert.deepEqual(strange, []);
  assert.deepEqual(
    packed.filter((path) => !path.startsWith("examples/") && /\.test\.|(?<!\.d)\.ts$|\.code$|\.tsbuildinfo$/.test(path)),
    [],
  );
  for (const path of [
    "LICENSE",
    "NOTICE",
    "bin/dagger",
    "dist/lib/compiler/llb/library/index.d.ts",
    "dist/lib/runtime/client/index.js",
    "packages/op/exec.cue",
  ]) {
    assert.ok(packed.includes(path), `${path} is not packed`);
  }
});

/** Type-checks files of the project as its users would. */
function compile(files: readonly string[], options: Readonly<Record<string, unknown>>): Promise<Outcome> {
  const common = { target: "ES2023", types: ["node"], strict: true, exactOptionalPropertyTypes: true };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...common, ...options }, files }));
  return run(process.execPath, [join(repository, "node_modules/typescript/bin/tsc"), "-p", project], project);
}

const examples = ["graph.ts", "solve.ts"];

test("a project that installed the package has its types, without skipping the library's own", async () => {
  const node = await compile(examples, { module: "NodeNext", outDir: "built" });
  assert.equal(node.code, 0, node.stdout);
  const bundler = await compile(examples, { module: "ESNext", moduleResolution: "Bundler", noEmit: true });
  assert.equal(bundler.code, 0, bundler.stdout);
});

test("a mistake in a user's graph is an error of types", async () => {
  const text = 'import { image, scratch } from "cuellb/llb";\nimage("a").run("make");\nscratch().file(image("b"));\n';
  writeFileSync(join(project, "wrong.ts"), text);
  const { code, stdout } = await compile(["wrong.ts"], { module: "NodeNext", noEmit: true });
  assert.notEqual(code, 0);
  assert.match(stdout, /wrong\.ts\(2,16\): error TS2345/);
  assert.match(stdout, /wrong\.ts\(3,16\): error TS2345/);
});

/** Runs an example by plain Node, as it was compiled above. */
function runExample(name: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  return run(process.execPath, [`built/${name}.js`, ...args], project, env);
}

test("the example graph prints", async () => {
  const { code, stdout, stderr } = await runExample("graph", []);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /#1 source \w+\n {2}platform: linux\/amd64/);
  assert.match(stdout, /name: "compile"/);
  assert.match(stdout, /#\d+ merge/);
});

test("the example build runs on a daemon: directory and secret in, result out", async () => {
  const { dir } = await busyboxLayout();
  const input = join(project, "input");
  mkdirSync(join(input, "deep"), { recursive: true });
  writeFileSync(join(input, "a.txt"), "one two three\n");
  writeFileSync(join(input, "deep/b.txt"), "four\n");
  writeFileSync(join(input, "not-sent.bin"), "five");
  const done = await runExample("solve", [input, dir, "out"], { BUILDKIT_HOST: daemon.address });
  assert.equal(done.code, 0, done.stderr);
  assert.equal(done.stdout, `1 file in ${join(project, "out")}\n`);
  const text = readFileSync(join(project, "out/words"), "utf8");
  assert.match(text, /3 \.\/a\.txt\n +1 \.\/deep\/b\.txt\n +4 total\ncounted by BuildKit\n$/);
});

test("an image's config, asked for through the build's own gateway, is what commands inherit", async () => {
  const registry = await startRegistry();
  const client = await connect(daemon.address);
  try {
    const { dir } = await busyboxLayout();
    const name = `${registry.host}/busybox:1`;
    await pass("skopeo", ["copy", "--dest-tls-verify=false", `oci:${dir}:latest`, `docker://${name}`], project);
    const receiver = createReceiver({ memory: ["out"], dirs: [] });
    const session = services({ receiver });
    const build = await client.build({ session, exporters: [{ type: "local", attrs: {} }], record: false, onStatus: () => {} });
    const base = image(name, {
      resolve: ({ ref, platform, resolveMode }) => build.resolveImageConfig(ref, platform, resolveMode),
      resolveDigest: true,
    });
    // Found by the image's own PATH; written below the image's directory.
    const made = base.run(["sh", "-c", "mkdir -p /r/out && echo $PATH > /r/out/path"], { mounts: [bind("/r", scratch())] }).mount("/r");
    const definition = await marshal(made, { platform: (await client.listWorkers())[0]!.platforms[0]! });
    assert.match(printDefinition(definition), new RegExp(`docker-image://${name}@sha256:[0-9a-f]{64}`));
    await build.finish(definition.encoded);
    assert.equal(`PATH=${receiver.values.get("out/path")?.toString().trim()}`, busyboxConfig.Env[0]);
  } finally {
    client.close();
    await registry.stop();
  }
});

test("the example build without a daemon ends with what to do", async () => {
  const { dir } = await busyboxLayout();
  const { code, stderr } = await runExample("solve", [project, dir, "none"], { BUILDKIT_HOST: `unix://${project}/nobody.sock` });
  assert.equal(code, 3);
  assert.match(stderr, /nobody\.sock/);
});

test("the page of the library shows the examples that run", () => {
  const page = readFileSync(join(repository, "docs/llb-library.md"), "utf8");
  for (const name of ["graph.ts", "solve.ts"]) {
    const body = readFileSync(join(example, name), "utf8").split("\n").slice(1).join("\n").trim();
    assert.ok(page.includes(body), `docs/llb-library.md shows another ${name}`);
  }
});
