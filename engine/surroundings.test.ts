// Requests with surroundings of their own: several users in one process, none of whom sees this process's environment or directory.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { UserError } from "../compiler/index.ts";
import { dockerAuth, openAgents } from "../runtime/session/index.ts";
import { inspect } from "./config/inspect.ts";
import { readPolicy } from "./flags/policy.ts";
import { parseSsh } from "./flags/ssh.ts";
import { imageStore } from "./images.ts";
import type { Surroundings } from "./request.ts";
import { parseSecrets, secretReader } from "./secrets/sources.ts";
import { up } from "./up.ts";

const root = mkdtempSync(join(tmpdir(), "dagger-surroundings-"));
after(() => rmSync(root, { recursive: true, force: true }));
const { signal } = new AbortController();

/** A home with a config in it, whose one file holds what the file `word` says. */
function user(name: string): Surroundings {
  const home = join(root, name);
  mkdirSync(home);
  writeFileSync(join(home, "word"), `the word of ${name}`);
  writeFileSync(join(home, "up.cue"), 'word: string\n#up: [{do: "scratch"}, {do: "write-file", dest: "/word", content: word}]\n');
  return { env: { HOME: home, TOKEN: `token of ${name}` }, cwd: home };
}

const anna = user("anna");
const bert = user("bert");

test("two users in one process each get their own config, inputs and client id", async () => {
  const show = (who: Surroundings) =>
    inspect({ ...who, dir: ".", targets: [], inputs: ["word=@word"], stage: "ops", format: "text", signal });
  const [ofAnna, ofBert] = await Promise.all([show(anna), show(bert)]);
  assert.match(String(ofAnna), /the word of anna/);
  assert.match(String(ofBert), /the word of bert/);
  for (const { cwd } of [anna, bert]) assert.ok(existsSync(join(cwd, ".local/share/dagger/client-id")));
});

test("a run uses the daemon and the certificates that the request's environment and directory name", async () => {
  const run = (env: Surroundings["env"]) =>
    up({
      ...anna,
      env: { ...anna.env, ...env },
      dir: ".",
      targets: [],
      inputs: ["word=x"],
      noCache: false,
      signal,
      onEvent: () => undefined,
    });
  const socket = join(root, "none.sock");
  await assert.rejects(run({ BUILDKIT_HOST: `unix://${socket}` }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.exit, 3);
    assert.ok(error.message.includes(socket), error.message);
    return true;
  });
  await assert.rejects(run({ BUILDKIT_HOST: "tcp://127.0.0.1:1", BUILDKIT_TLS_CACERT: "my-ca.pem" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.diagnostics[0]?.code, "bad-tls");
    assert.ok(error.message.includes(join(anna.cwd, "my-ca.pem")), error.message);
    return true;
  });
});

test("Docker's logins are found from the request's directory", async () => {
  mkdirSync(join(bert.cwd, "my-docker"));
  const login = { auths: { "example.com": { auth: Buffer.from("bert:hush").toString("base64") } } };
  writeFileSync(join(bert.cwd, "my-docker/config.json"), JSON.stringify(login));
  const found = await dockerAuth({ DOCKER_CONFIG: "my-docker" }, bert.cwd).credentials("example.com");
  assert.deepEqual(found, { username: "bert", secret: "hush" });
});

test("a program that leads to the daemon gets the request's variables", async () => {
  const bin = join(root, "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "docker"), '#!/bin/sh\necho "docker of $HOME" >&2\nexit 1\n', { mode: 0o755 });
  const env = { ...bert.env, PATH: `${bin}:${process.env["PATH"] ?? ""}`, BUILDKIT_HOST: "docker-container://good" };
  const request = { ...bert, env, dir: ".", targets: [], inputs: ["word=x"], noCache: false, signal, onEvent: () => undefined };
  await assert.rejects(up(request), (error) => {
    assert.ok(error instanceof UserError);
    assert.ok(error.message.includes(`docker of ${bert.cwd}`), error.message);
    return true;
  });
});

test("secrets, policies, keys and images are found from the request's directory", async () => {
  const secrets = parseSecrets(["file=file:word", "variable=env:TOKEN"], bert.cwd);
  const read = secretReader(secrets, bert);
  assert.equal(Buffer.from((await read("file")) ?? []).toString(), "the word of bert");
  assert.equal(Buffer.from((await read("variable")) ?? []).toString(), "token of bert");
  await assert.rejects(readPolicy("word", bert.cwd), { message: /word/ });
  writeFileSync(join(bert.cwd, "policy.json"), '{"rules": []}');
  await readPolicy("policy.json", bert.cwd);
  assert.deepEqual(parseSsh(["default", "a=~/key,other", "b=socket,raw=true"], bert.env), [
    { id: "default", paths: [] },
    { id: "a", paths: [join(bert.cwd, "key"), "other"] },
    { id: "b", paths: ["socket"], raw: true },
  ]);
  await assert.rejects(openAgents([{ id: "a", paths: ["word"] }], bert.env, bert.cwd), {
    message: /word for --ssh a: it is not a private key/,
  });
  mkdirSync(join(bert.cwd, "rootfs"));
  writeFileSync(join(bert.cwd, "rootfs/file"), "");
  await imageStore(bert).import("bert:1", "rootfs");
  assert.deepEqual(await imageStore(anna).list(), []);
  assert.equal((await imageStore(bert).list()).length, 1);
});
