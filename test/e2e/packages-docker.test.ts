// Package docker: Dockerfiles, pushes to a real registry, and commands on a real Docker daemon through its socket.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startDockerd, type TestDocker } from "../support/dockerd.ts";
import { startRegistry } from "../support/registry.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let docker: TestDocker;

before(async () => {
  packages = await startPackageBench("docker.io/library/docker:28-cli");
  docker = await startDockerd();
});
after(async () => {
  await docker?.stop();
  await packages?.bench.end();
});

test("a Dockerfile is built and its image pushed; the digest is a value", async () => {
  const registry = await startRegistry();
  try {
    const { code, stdout, stderr } = await packages.compute("push", {
      "up.cue": `package up

import "cuellb.dev/docker"

_image: docker.#Build & {
	context: #up: [{do: "local", dir: "app"}]
	args: WORD: "built"
}
_push: docker.#Push & {source: _image, name: "${registry.host}/app:1"}
digest: _push.digest
`,
      "app/Dockerfile": "FROM docker.io/library/busybox:latest\nARG WORD\nRUN echo $WORD > /word\n",
    });
    assert.equal(code, 0, stderr);
    const { digest } = JSON.parse(stdout) as { digest: string };
    assert.match(digest, /sha256:[0-9a-f]{64}$/);
    const hex = digest.slice(digest.lastIndexOf("sha256:"));
    const manifest = await fetch(`http://${registry.host}/v2/app/manifests/${hex}`, {
      headers: {
        accept:
          "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json",
      },
    });
    assert.equal(manifest.status, 200);
  } finally {
    await registry.stop();
  }
});

test("commands and containers run on the daemon behind a socket that the user named", async () => {
  const config = `package up

import (
	"cuellb.dev/docker"
	"cuellb.dev/op"
)

_version: docker.#Command & {args: ["version", "--format", "{{.Server.Version}}"]}
_run: docker.#Run & {
	name:  "busybox:latest"
	flags: ["--network=none"]
	args: ["sh", "-c", "echo \\"$GREETING $TOKEN\\""]
	env: {GREETING: "hello it's", TOKEN: op.#Secret & {secret: "token"}}
	after: [_version]
}
version: _version.output
output:  _run.output
`;
  const socket = ["--ssh", `docker=${docker.socket},raw=true`];
  const { code, stdout, stderr } = await packages.compute("run", config, { secrets: { token: "s3cr3t" }, flags: socket });
  assert.equal(code, 0, stderr);
  const { version, output } = JSON.parse(stdout) as Record<string, string>;
  assert.ok(version?.startsWith(docker.version), version);
  assert.equal(output, "hello it's ***\n");

  const none = await packages.compute("none", config, { secrets: { token: "x" } });
  assert.notEqual(none.code, 0);
  assert.match(none.stderr, /docker/);
});

test("a command that fails ends the run, and a daemon is told in one way only", async () => {
  const failed = await packages.compute(
    "failed",
    'package up\n\nimport "cuellb.dev/docker"\n\nrun: docker.#Run & {name: "no-such-image:1", flags: ["--pull=never"]}\n',
    { flags: ["--ssh", `docker=${docker.socket},raw=true`] },
  );
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /no-such-image/);
  const twice = await packages.compute(
    "twice",
    'package up\n\nimport "cuellb.dev/docker"\n\nrun: docker.#Command & {args: ["info"], daemon: {socket: "a", host: "tcp://b:1"}}\n',
  );
  assert.equal(twice.code, 2);
});
