// Which Docker is used: settings in relative directories start where the caller says.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Endpoint } from "./address.ts";
import { expectsDocker, findDocker } from "./docker.ts";

let cwd: string;
before(async () => {
  cwd = await mkdtemp(join(tmpdir(), "dagger-docker-"));
});
after(async () => {
  await rm(cwd, { recursive: true, force: true });
});

/** What the endpoint takes for the authority, as text. */
const authority = (endpoint: Endpoint): string => (endpoint.kind === "tcp" ? String(endpoint.tls?.ca) : endpoint.kind);

test("certificates of DOCKER_CERT_PATH, else of DOCKER_CONFIG, are found from the given directory", async () => {
  for (const name of ["certs", "config"]) {
    await mkdir(join(cwd, name));
    await writeFile(join(cwd, name, "ca.pem"), `authority in ${name}`);
  }
  const env = { DOCKER_HOST: "tcp://127.0.0.1:1", DOCKER_TLS_VERIFY: "1", DOCKER_CONFIG: "config" };
  assert.equal(authority(await findDocker("docker://", { ...env, DOCKER_CERT_PATH: "certs" }, cwd)), "authority in certs");
  assert.equal(authority(await findDocker("docker://", env, cwd)), "authority in config");
});

test("a context of DOCKER_CONFIG is found from the given directory", async () => {
  const id = createHash("sha256").update("mine").digest("hex");
  await mkdir(join(cwd, "settings/contexts/meta", id), { recursive: true });
  await writeFile(join(cwd, "settings/config.json"), JSON.stringify({ currentContext: "mine" }));
  const meta = { Name: "mine", Endpoints: { docker: { Host: "unix:///my/docker.sock" } } };
  await writeFile(join(cwd, "settings/contexts/meta", id, "meta.json"), JSON.stringify(meta));
  const env = { DOCKER_CONFIG: "settings" };
  assert.deepEqual(await findDocker("docker://", env, cwd), { kind: "unix", text: "docker://", path: "/my/docker.sock" });
  assert.equal(await expectsDocker(env, cwd), true);
});
