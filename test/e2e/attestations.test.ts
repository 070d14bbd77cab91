// What pushed and saved images say of their own making: provenance and SBOM, on a real buildkitd and a real registry, with a scanner of our own.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

const run = promisify(execFile);
let bench: Bench;
let registry: TestRegistry;
let scanner: string;

/** Finds what BuildKit's scanners find: the root to look at, and where the statement goes. */
const scan = `#!/bin/sh
set -e
name=$(basename "$BUILDKIT_SCAN_SOURCE")
cat > "$BUILDKIT_SCAN_DESTINATION/$name.spdx.json" <<END
{"_type": "https://in-toto.io/Statement/v0.1", "predicateType": "https://spdx.dev/Document", "subject": [],
 "predicate": {"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "$BUILDKIT_SCAN_TITLE",
  "documentNamespace": "https://example.com/scan", "creationInfo": {"created": "2020-01-01T00:00:00Z", "creators": ["Tool: test"]},
  "packages": [{"SPDXID": "SPDXRef-a", "name": "$(cat "$BUILDKIT_SCAN_SOURCE/name")", "downloadLocation": "NOASSERTION"}]}}
END
`;

before(async () => {
  bench = await startBench();
  registry = await startRegistry();
  scanner = `${registry.host}/scanner:1`;
  const made = await up(`scanner: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "write-file", dest: "/scan", mode: 0o755, content: ${JSON.stringify(scan)}},
	{do: "image-config", entrypoint: ["/scan"]},
	{do: "push-container", ref: "${scanner}"},
]`);
  assert.equal(made.code, 0, made.stderr);
});
after(async () => {
  await Promise.all([bench.end(), registry.stop()]);
});

let count = 0;

async function up(config: string, args: readonly string[] = [], env = {}): Promise<Outcome & { dir: string }> {
  const dir = join(bench.dir, `config-${++count}`);
  mkdirSync(dir);
  writeFileSync(join(dir, "up.cue"), `package up\n${config}\n`);
  return { ...(await bench.dagger(["up", dir, "--output", "json", "--progress", "plain", ...args], env)), dir };
}

interface Descriptor {
  readonly digest: string;
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Statement {
  readonly predicateType: string;
  readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
  readonly predicate: Readonly<Record<string, unknown>>;
}

/** By platform, what is said of the image for it. Checks that every statement is about the very manifest that it stands beside. */
async function statements(name: string): Promise<Record<string, Statement[]>> {
  const remote = (path: string): Promise<string> => read(`http://${registry.host}/v2/${name}/${path}`);
  const { manifests } = JSON.parse(await remote("manifests/latest")) as { manifests: Descriptor[] };
  const images = manifests.filter(({ annotations }) => annotations?.["vnd.docker.reference.type"] === undefined);
  const found: Record<string, Statement[]> = {};
  for (const image of images) {
    const about = manifests.filter(({ annotations }) => annotations?.["vnd.docker.reference.digest"] === image.digest);
    const list: Statement[] = [];
    for (const { digest, annotations, platform } of about) {
      assert.equal(annotations?.["vnd.docker.reference.type"], "attestation-manifest");
      assert.deepEqual(platform, { architecture: "unknown", os: "unknown" });
      const manifest = JSON.parse(await remote(`manifests/${digest}`)) as { layers: { digest: string; annotations: object }[] };
      for (const layer of manifest.layers) {
        const statement = JSON.parse(await remote(`blobs/${layer.digest}`)) as Statement;
        assert.deepEqual(layer.annotations, { "in-toto.io/predicate-type": statement.predicateType });
        for (const { digest: subject } of statement.subject) assert.equal(`sha256:${subject.sha256}`, image.digest);
        list.push(statement);
      }
    }
    found[`${image.platform.os}/${image.platform.architecture}`] = list;
  }
  return found;
}

async function read(url: string): Promise<string> {
  const accept = ["application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"].join(", ");
  const response = await fetch(url, { headers: { accept } });
  assert.equal(response.status, 200, url);
  return response.text();
}

const spdx = "https://spdx.dev/Document";
const slsa = "https://slsa.dev/provenance/v1";

test("an image carries the provenance and the SBOM that its op asks for, of itself, for each platform", async () => {
  const outcome = await up(`app: {string, #up: [
	{do: "write-file", dest: "/name", content: "left-pad"},
	{do: "push-container", ref: "${registry.host}/both", platforms: ["linux/amd64", "linux/arm64"], attest: {
		provenance: {mode: "max", builderId: "https://example.com/builder, ours"}
		sbom: {generator: "${scanner}", parameters: TITLE: "a, b"}
	}},
]}`);
  assert.equal(outcome.code, 0, outcome.stderr);
  const both = await statements("both");
  assert.deepEqual(Object.keys(both), ["linux/amd64", "linux/arm64"]);
  for (const list of Object.values(both)) {
    assert.deepEqual(list.map(({ predicateType }) => predicateType).sort(), [slsa, spdx].sort());
    assert.ok(list.every(({ subject }) => subject.length === 1));
    const sbom = list.find(({ predicateType }) => predicateType === spdx)?.predicate as { name: string; packages: { name: string }[] };
    assert.deepEqual([sbom.name, sbom.packages[0]?.name], ["a, b", "left-pad"]);
    const provenance = list.find(({ predicateType }) => predicateType === slsa)?.predicate as {
      runDetails: { builder: { id: string } };
      buildDefinition: { internalParameters: { buildConfig: { llbDefinition: unknown[] } } };
    };
    assert.equal(provenance.runDetails.builder.id, "https://example.com/builder, ours");
    assert.ok(provenance.buildDefinition.internalParameters.buildConfig.llbDefinition.length > 0);
  }
  // The component's value is the digest of the index, which is what one pulls.
  const { values } = JSON.parse(outcome.stdout) as { values: { app: string } };
  const response = await fetch(`http://${registry.host}/v2/both/manifests/${values.app}`, {
    headers: { accept: "application/vnd.oci.image.index.v1+json" },
  });
  assert.equal(response.status, 200);
});

test("--attest speaks for all images of the job, and over their ops; docker's archives go without, with a warning", async () => {
  const push = (name: string, more = ""): string =>
    `${name}: #up: [{do: "write-file", dest: "/name", content: "x"}, {do: "push-container", ref: "${registry.host}/${name}"${more}}]`;
  const outcome = await up(
    `${push("plain")}
${push("other", ', attest: {provenance: "max", sbom: false}')}
saved: #up: [
	{do: "write-file", dest: "/name", content: "x"},
	{do: "save-image", tag: "saved", dest: "docker.tar"},
	{do: "save-image", tag: "saved", dest: "oci.tar", format: "oci"},
]`,
    ["--attest", "type=provenance,mode=min,version=v0.2", "--attest", `type=sbom,generator=${scanner}`],
  );
  assert.equal(outcome.code, 0, outcome.stderr);
  for (const name of ["plain", "other"]) {
    const list = (await statements(name))["linux/amd64"] ?? [];
    assert.deepEqual(list.map(({ predicateType }) => predicateType).sort(), ["https://slsa.dev/provenance/v0.2", spdx]);
    assert.equal(list.find(({ predicateType }) => predicateType !== spdx)?.predicate["buildConfig"], undefined);
  }
  assert.match(outcome.stderr, /saved:latest carries no attestations: docker's format has no room for them/);
  const inside = await run("tar", ["-xOf", join(outcome.dir, "oci.tar"), "--wildcards", "blobs/sha256/*"], { maxBuffer: 1 << 26 });
  assert.match(inside.stdout, /slsa\.dev\/provenance\/v0\.2/);
  assert.match(inside.stdout, /spdx\.dev\/Document/);
  const off = await up(push("off", ", attest: {provenance: true}"), ["--attest", "type=provenance,disabled=true"]);
  assert.equal(off.code, 0, off.stderr);
  assert.equal((JSON.parse(await read(`http://${registry.host}/v2/off/manifests/latest`)) as { manifests?: unknown }).manifests, undefined);
});

test("without attestations an image is a plain manifest, whose digest depends on its content alone", async () => {
  const config = `app: {string, #up: [{do: "write-file", dest: "/name", content: "same"}, {do: "push-container", ref: "${registry.host}/same"}]}`;
  const digests = [await up(config), await up(config)].map(({ stdout }) => (JSON.parse(stdout) as { values: { app: string } }).values.app);
  assert.equal(digests[0], digests[1]);
});

test("a scanner that is not there, fails, or says nothing of use is told at the op's line, and no image is pushed", async () => {
  const broken = await up(`broken: #up: [
	{do: "fetch-container", ref: "busybox"},
	{do: "image-config", entrypoint: ["/bin/sh", "-c", "echo scanned nothing; exit 3"]},
	{do: "push-container", ref: "${registry.host}/broken-scanner"},
]`);
  assert.equal(broken.code, 0, broken.stderr);
  for (const [generator, says] of [
    [`${registry.host}/no-scanner`, /no-scanner.*not found/],
    [`${registry.host}/broken-scanner`, /exit code: 3/],
  ] as const) {
    const outcome = await up(`app: #up: [
	{do: "write-file", dest: "/name", content: "x"},
	{do: "push-container", ref: "${registry.host}/never", attest: sbom: {generator: "${generator}"}},
]`);
    assert.equal(outcome.code, 1, outcome.stderr);
    assert.match(outcome.stderr, /push-failed/);
    assert.match(outcome.stderr, says);
    assert.match(outcome.stderr, /up\.cue:4:2/);
    assert.equal((await fetch(`http://${registry.host}/v2/never/manifests/latest`)).status, 404);
  }
});

test("flags that make no sense are told before anything runs", async () => {
  for (const [flag, says] of [
    ["provenance", /"provenance" is not KEY=VALUE/],
    ["type=provenence", /no type "provenence", did you mean provenance\?/],
    ["mode=max", /it has no type/],
    ["type=provenance,mod=max", /no option of provenance "mod", did you mean mode\?/],
    ["type=provenance,mode=all", /mode must be min or max/],
    ["type=provenance,version=2", /version must be v0\.2 or v1/],
    ["type=sbom,generator=NOT an image", /is no image/],
    ["type=sbom,disabled=perhaps", /disabled must be true or false/],
  ] as const) {
    const outcome = await up('a: #up: [{do: "scratch"}]', ["--attest", flag]);
    assert.equal(outcome.code, 2, outcome.stderr);
    assert.match(outcome.stderr, /bad-attest-flag/);
    assert.match(outcome.stderr, says);
  }
  const twice = await up('a: #up: [{do: "scratch"}]', ["--attest", "type=sbom", "--attest", "type=sbom"]);
  assert.match(twice.stderr, /the type sbom is given twice/);
});
