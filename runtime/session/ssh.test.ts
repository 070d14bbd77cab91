// SSH agents in a build, with OpenSSH's own agent on this side and its ssh-add on the other.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { failureOf } from "../../test/support/failures.ts";
import { portableProgram, sessionServices } from "../../test/support/jobs.ts";
import { definition, exec, layoutImage, type Node, source } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import type { Client } from "../solve/index.ts";
import { type OpenAgents, openAgents } from "./index.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-ssh-test-"));
const tools = path.join(base, "tools");
const key = path.join(base, "key");
const locked = path.join(base, "locked");
const on = solving();

before(() => {
  portableProgram(tools, "ssh-add");
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "the-test-key", "-f", key]);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "secret", "-C", "locked", "-f", locked]);
  fs.chmodSync(key, 0o644);
});
after(() => fs.rmSync(base, { recursive: true, force: true }));

/** A step that runs `script` with ssh-add as $ADD and an agent at SSH_AUTH_SOCK. */
function withAgent(script: string, id: string, optional = false): Node {
  const programs = source("local://tools", { "local.unique": script });
  return exec({
    root: layoutImage("busybox", on.layout.digest),
    args: ["/bin/sh", "-c", script],
    env: ["PATH=/bin", "SSH_AUTH_SOCK=/agent", "ADD=/tools/run"],
    mounts: [
      { from: programs, mount: { dest: "/tools", readonly: true } },
      { mount: { dest: "/agent", mountType: 2, output: 0n, SSHOpt: { ID: id, uid: 0, gid: 0, mode: 0o600, optional } } },
    ],
  });
}

async function run(node: Node, agents?: OpenAgents): Promise<string> {
  const logs: Buffer[] = [];
  const locals = new Map([["tools", { dir: tools }]]);
  const session = sessionServices(on.layout, { locals, ...(agents === undefined ? {} : { ssh: agents.agents }) });
  const onStatus: Parameters<Client["build"]>[0]["onStatus"] = (update) => void logs.push(...update.logs.map((l) => Buffer.from(l.data)));
  const build = await on.client.build({ session, exporters: [], record: false, onStatus });
  await build.finish(definition(node));
  return Buffer.concat(logs).toString();
}

test("a step lists the keys of the user's agent, and can neither add, remove nor lock any", async () => {
  const socket = path.join(base, "agent");
  const agent = spawn("ssh-agent", ["-D", "-a", socket], { stdio: "ignore" });
  const ended = once(agent, "exit");
  try {
    while (!fs.existsSync(socket)) await sleep(10);
    execFileSync("ssh-add", ["-q", "-"], { env: { ...process.env, SSH_AUTH_SOCK: socket }, input: fs.readFileSync(key) });
    const opened = await openAgents([{ id: "default", paths: [] }], { SSH_AUTH_SOCK: socket });
    const script = "$ADD -l; $ADD -D; $ADD -d /nothing; echo x | $ADD -x; $ADD -l; echo end";
    const log = await run(withAgent(script, ""), opened);
    assert.equal(log.match(/the-test-key \(ED25519\)/g)?.length, 2, log);
    assert.match(log, /Failed to remove all identities/);
    assert.match(execFileSync("ssh-add", ["-l"], { env: { SSH_AUTH_SOCK: socket }, encoding: "utf8" }), /the-test-key/);
    await opened.close();
  } finally {
    agent.kill();
    // It removes its socket on the way out.
    await ended;
  }
  const gone = await openAgents([{ id: "default", paths: [] }], { SSH_AUTH_SOCK: socket }).catch((error: unknown) => error);
  assert.match(String(gone), /Cannot use .*agent for --ssh default: there is no such file/);
});

test("a private key is served by an agent that ends with the run, whatever its file's mode", async () => {
  const opened = await openAgents([{ id: "deploy", paths: [key] }], process.env);
  const socket = opened.agents.get("deploy")?.socket as string;
  assert.match(await run(withAgent("$ADD -l # key", "deploy"), opened), /the-test-key \(ED25519\)/);
  assert.match((await failureOf(run(withAgent("$ADD -l", "other"), opened))).message, /no SSH agent was given as "other"/);
  assert.match(await run(withAgent("test -e /agent || echo without", "other", true), opened), /without/);
  await opened.close();
  assert.equal(fs.existsSync(socket), false);
});

test("an agent that is gone when a step asks is told, with what to do", async () => {
  const opened = { agents: new Map([["default", { id: "default", socket: path.join(base, "nobody") }]]), close: async () => {} };
  const error = await failureOf(run(withAgent("$ADD -l # gone", "default"), opened));
  assert.deepEqual([error.exit, error.diagnostics[0]?.code], [3, "ssh-agent"]);
  assert.match(error.message, /^Cannot reach the SSH agent "default" at .*nobody: no agent listens there$/);
});

test("what is neither an agent nor a key is refused before anything runs", async () => {
  const refused = async (paths: readonly string[], env: Record<string, string | undefined> = process.env): Promise<string> => {
    const error = await failureOf(openAgents([{ id: "x", paths }], env));
    assert.deepEqual([error.exit, error.diagnostics[0]?.code], [2, "ssh-source"]);
    return error.message;
  };
  const text = path.join(base, "text");
  fs.writeFileSync(text, "no key\n");
  assert.match(await refused([], {}), /^There is no SSH agent for --ssh x: SSH_AUTH_SOCK is not set$/);
  assert.match(await refused([text]), /text for --ssh x: it is not a private key$/);
  assert.match(await refused([locked]), /locked for --ssh x: the key has a passphrase$/);
  assert.match(await refused([path.join(base, "missing")]), /there is no such file$/);
  assert.match(await refused([base]), /it is neither a socket nor a file$/);
  const missing = await failureOf(openAgents([{ id: "x", paths: [key] }], { PATH: base }));
  assert.deepEqual([missing.exit, missing.diagnostics[0]?.code], [3, "ssh-agent"]);
});
