// Package ssh against a real sshd: commands with secrets and awkward text, files there and back, hosts that are not who they should be.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Sshd, startSshd } from "../support/sshd.ts";
import { startWebService } from "../support/web-service.ts";
import { repository } from "./dagger.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let server: Sshd;

before(async () => {
  packages = await startPackageBench("docker.io/library/alpine:3.22", "docker.io/curlimages/curl:8.15.0");
  server = await startSshd();
});
after(async () => {
  await server?.stop();
  await packages?.bench.end();
});

/** The fields that say how to reach the server. */
function reach(hostKey = server.hostKey): string {
  const known = `[127.0.0.1]:${String(server.port)} ${hostKey}`;
  return `host: "127.0.0.1", port: ${String(server.port)}, user: "${userInfo().username}", key: secret: "key", knownHosts: "${known}"`;
}

const head = 'package up\n\nimport (\n\t"cuellb.dev/op"\n\t"cuellb.dev/ssh"\n)\n\n_op: op.#Scratch\n';

test("a script runs on the machine; its output is a value, its variables take any text, also from secrets", async () => {
  const { code, stdout, stderr } = await packages.compute(
    "run",
    `${head}
_run: ssh.#Run & {
	${reach()}
	script: #"printf '%s|%s|' "$TEXT" "$TOKEN"; echo "it's \\$HOME""#
	env: {TEXT: "it's \\"two\\"\\nlines\\n", TOKEN: op.#Secret & {secret: "token"}}
}
output: _run.output
`,
    { secrets: { key: server.key, token: "$(t'oken)" } },
  );
  assert.equal(code, 0, stderr);
  const { output } = JSON.parse(stdout) as { output: string };
  // Where a secret is, the very text was printed that the secret is.
  assert.equal(output, "it's \"two\"\nlines\n|***|it's $HOME\n");
});

test("files are copied there, into place of what is gone, and fetched back", async () => {
  const there = join(packages.bench.dir, "there it's");
  mkdirSync(join(there, "old/deep"), { recursive: true });
  writeFileSync(join(there, "old/deep/file"), "");
  const { code, stdout, stderr } = await packages.compute(
    "copy",
    `${head}
copy: ssh.#Copy & {
	${reach()}
	source: #up: [
		op.#Scratch,
		op.#WriteFile & {dest: "/app/bin/run", content: "run", mode: 0o755},
		op.#WriteFile & {dest: "/app/a b", content: "text"},
	]
	path:   "/app"
	dest:   "${there}"
	delete: true
}
_fetch: ssh.#Fetch & {${reach()}, path: "${there}", after: [copy]}
_one: ssh.#Fetch & {${reach()}, path: "${there}/a b", after: [copy]}
back: {string, #up: [op.#Load & {from: _fetch}, op.#Export & {source: "/bin/run"}]}
one: {string, #up: [op.#Load & {from: _one}, op.#Export & {source: "/a b"}]}
`,
    { secrets: { key: server.key } },
  );
  assert.equal(code, 0, stderr);
  const { back, one } = JSON.parse(stdout) as Record<string, string>;
  assert.deepEqual([back, one], ["run", "text"]);
  assert.equal(existsSync(join(there, "old")), false);
  execFileSync("test", ["-x", join(there, "bin/run")]);
});

test("a machine with another key, a wrong key of ours and a script that fails each end the run", async () => {
  const run = (name: string, fields: string, key = server.key) =>
    packages.compute(name, `${head}run: ssh.#Run & {${fields}}\n`, { secrets: { key } });
  const other = await run("other", `${reach(server.strangerKey)}, script: "true"`);
  assert.equal(other.code, 1);
  assert.match(other.stderr, /Host key verification failed/);
  const refused = await run("refused", `${reach()}, script: "true"`, "no key");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /Permission denied/);
  const failed = await run("failed", `${reach()}, script: "echo before; false; echo after"`);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /before/);
  assert.doesNotMatch(failed.stderr, /^#.* after$/m);
  const option = await run("option", `${reach().replace("127.0.0.1", "-oProxyCommand=id")}, script: "true"`);
  assert.equal(option.code, 2);
});

test("the example copies its page, looks at it, and then tells the chat", async () => {
  const web = await startWebService(() => ({ body: "ok" }));
  try {
    const text = readFileSync(join(repository, "examples/deploy/deploy.cue"), "utf8");
    const directory = join(packages.bench.dir, "served");
    const inputs = {
      host: "127.0.0.1",
      port: String(server.port),
      knownHosts: `[127.0.0.1]:${String(server.port)} ${server.hostKey}`,
      directory,
      url: `${web.url}/page`,
    };
    const flags = Object.entries(inputs).flatMap(([name, value]) => ["-i", `${name}=${value}`]);
    const secrets = { "deploy-key": server.key, chat: `${web.url}/chat` };
    const { code, stderr } = await packages.compute("deploy", text, { secrets, flags });
    assert.equal(code, 0, stderr);
    assert.equal(readFileSync(join(directory, "index.html"), "utf8"), "<h1>Hello</h1>\n");
    const asked = web.received.map(({ method, url }) => `${method} ${url}`);
    assert.deepEqual(asked, ["GET /page", "POST /chat"]);
  } finally {
    await web.stop();
  }
});
