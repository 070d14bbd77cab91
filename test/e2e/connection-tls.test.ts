// A buildkitd that speaks mutual TLS: who has the right certificates gets in, everybody else is told what is wrong.
import assert from "node:assert/strict";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { connect } from "../../runtime/solve/index.ts";
import { startBuildkitd, type TestDaemon } from "../support/buildkitd.ts";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { freePort } from "../support/server.ts";
import { failureAt, versionAt } from "./connections.ts";
import { type Outcome, runDagger } from "./dagger.ts";

const dir = mkdtempSync(join(tmpdir(), "dagger-tls-"));
const pem = (name: string): string => join(dir, `${name}.pem`);
const key = (name: string): string => join(dir, `${name}-key.pem`);
const right = { ca: pem("ca"), cert: pem("client"), key: key("client") };
let daemon: TestDaemon;
let address: string;

before(async () => {
  await makeAuthority(dir, "ca");
  await makeAuthority(dir, "other");
  await makeCertificate(dir, "ca", "server", { names: "IP:127.0.0.1, DNS:build.example" });
  await makeCertificate(dir, "ca", "client");
  await makeCertificate(dir, "ca", "late", { expired: true });
  await makeCertificate(dir, "other", "stranger");
  const port = await freePort();
  address = `tcp://127.0.0.1:${port}`;
  const tls = ["--tlscacert", pem("ca"), "--tlscert", pem("server"), "--tlskey", key("server")];
  daemon = await startBuildkitd({ args: ["--addr", address, ...tls] });
});
after(async () => {
  await daemon.stop();
  rmSync(dir, { recursive: true, force: true });
});

type Options = NonNullable<Parameters<typeof connect>[1]>;

const version = (tls: Options["tls"], env: Options["env"] = {}, at = address): Promise<string> => versionAt(at, { tls, env });

async function failure(tls: Options["tls"], env: Options["env"] = {}, at = address): ReturnType<typeof failureAt> {
  const [exit, code, message, hint] = await failureAt(at, { tls, env });
  return [exit, code, message.replace(address, "ADDRESS").replaceAll(dir, "DIR"), hint];
}

test("certificates come from single files", async () => {
  assert.match(await version(right), /^v\d/);
});

test("certificates come from a directory, with the names of Docker or of a Kubernetes secret", async () => {
  const layouts = [
    ["docker", ["ca.pem", "cert.pem", "key.pem"]],
    ["kube", ["ca.crt", "tls.crt", "tls.key"]],
  ] as const;
  for (const [name, files] of layouts) {
    mkdirSync(join(dir, name));
    [right.ca, right.cert, right.key].forEach((file, i) => cpSync(file, join(dir, name, files[i] as string)));
    assert.match(await version({ dir: join(dir, name) }), /^v\d/);
  }
});

test("certificates come from the environment, and flags win over it", async () => {
  const env = { BUILDKIT_TLS_CACERT: right.ca, BUILDKIT_TLS_CERT: right.cert, BUILDKIT_TLS_KEY: right.key };
  assert.match(await version({}, env), /^v\d/);
  assert.match(await version({}, { BUILDKIT_TLS_DIR: join(dir, "docker") }), /^v\d/);
  assert.match(await version(right, { BUILDKIT_TLS_DIR: "/nowhere" }), /^v\d/);
});

test("variables about TLS do not matter to a daemon on a unix socket, flags do", async () => {
  assert.match(await version({}, { BUILDKIT_TLS_DIR: "/nowhere" }, daemon.address), /^v\d/);
  const [exit, code] = await failure(right, {}, daemon.address);
  assert.deepEqual([exit, code], [2, "bad-tls"]);
});

test("a server name stands for the host of the address", async () => {
  assert.match(await version({ ...right, serverName: "build.example" }), /^v\d/);
  assert.match(await version(right, { BUILDKIT_TLS_SERVERNAME: "build.example" }), /^v\d/);
});

test("a wrong server name is refused", async () => {
  assert.deepEqual(await failure({ ...right, serverName: "other.example" }), [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at ADDRESS: its certificate is not for other.example: it is for IP Address:127.0.0.1, DNS:build.example",
    "use the host name that it is for, or say that name with --tlsservername",
  ]);
});

test("a daemon whose authority is not ours is refused", async () => {
  const expected = [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at ADDRESS: its certificate is not signed by a certificate authority that is trusted here",
    "give the authority that signed it with --tlscacert, or as ca.pem in --tlsdir",
  ];
  assert.deepEqual(await failure({ ...right, ca: pem("other") }), expected);
  assert.deepEqual(await failure({ serverName: "build.example" }), expected, "without a CA, only the usual ones are trusted");
});

test("a missing client certificate is asked for", async () => {
  assert.deepEqual(await failure({ ca: right.ca }), [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at ADDRESS: it wants a client certificate",
    "give one with --tlscert and --tlskey, or as cert.pem and key.pem in --tlsdir",
  ]);
});

test("an expired client certificate is told with its date", async () => {
  assert.deepEqual(await failure({ ca: right.ca, cert: pem("late"), key: key("late") }), [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at ADDRESS: it refuses the client certificate, which expired on Jan  3 00:00:00 2020 GMT",
    "Have the client certificate renewed",
  ]);
});

test("a client certificate of another authority is refused", async () => {
  assert.deepEqual(await failure({ ca: right.ca, cert: pem("stranger"), key: key("stranger") }), [
    3,
    "no-daemon",
    "Cannot connect to a BuildKit daemon at ADDRESS: it refuses the client certificate",
    "Give one that is signed by the authority which the daemon trusts (its --tlscacert)",
  ]);
});

test("no TLS where the daemon speaks it, and TLS where it does not", async () => {
  const [exit, code, , hint] = await failure({});
  assert.deepEqual(
    [exit, code, hint],
    [3, "no-daemon", "if the daemon uses TLS, give its certificates with --tlsdir; else check the address"],
  );
  const plain = createServer((socket) => socket.resume().end("hello\r\n")).listen(0, "127.0.0.1");
  await once(plain, "listening");
  const at = `tcp://127.0.0.1:${(plain.address() as AddressInfo).port}`;
  assert.match((await failure(right, {}, at))[2], /what listens there does not speak TLS$/);
  plain.close();
  assert.match((await failure(right, {}, at))[2], /nothing listens there$/);
});

test("the command line takes the flags and variables, and its exit code tells the environment from the input", async () => {
  const dagger = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
    runDagger(["doctor", "--output", "json", ...args], dir, { HOME: dir, PATH: process.env["PATH"] ?? "", ...env });
  const flags = ["--tlscacert", right.ca, "--tlscert", right.cert, "--tlskey", right.key];
  assert.equal((await dagger(["--buildkit", address, ...flags])).code, 0);
  assert.equal((await dagger(["--buildkit", address, "--tlsdir", join(dir, "docker"), "--tlsservername", "build.example"])).code, 0);
  assert.equal((await dagger([], { BUILDKIT_HOST: address, BUILDKIT_TLS_DIR: join(dir, "kube") })).code, 0);
  const wrong = await dagger(["--buildkit", address, "--tlscacert", pem("other")]);
  assert.equal(wrong.code, 3);
  assert.match(wrong.stdout, /is not signed by a certificate authority that is trusted here/);
  writeFileSync(join(dir, "up.cue"), 'package up\n\na: #up: [{do: "scratch"}]\n');
  const env = { HOME: dir, PATH: process.env["PATH"] ?? "" };
  const { code, stderr } = await runDagger(["up", "--buildkit", address, "--tlscert", right.cert, "--progress", "quiet"], dir, env);
  assert.equal(code, 2);
  assert.match(stderr, /error\[bad-tls\]: .* a client certificate without its key/);
});

test("files that cannot be certificates are input errors", async () => {
  writeFileSync(join(dir, "text.pem"), "hello\n");
  mkdirSync(join(dir, "empty"));
  const cases: readonly [Options["tls"], RegExp][] = [
    [{ dir: join(dir, "empty") }, /DIR\/empty has neither ca.pem nor ca.crt$/],
    [{ dir, ca: right.ca }, /both given$/],
    [{ ca: right.ca, cert: right.cert }, /a client certificate without its key$/],
    [{ ...right, ca: join(dir, "gone.pem") }, /gone.pem is not readable: ENOENT/],
    [{ ...right, ca: join(dir, "text.pem") }, /text.pem is no PEM file$/],
    [{ ...right, key: key("stranger") }, /the client certificate and its key do not belong together/],
  ];
  for (const [tls, message] of cases) {
    const [exit, code, text] = await failure(tls);
    assert.deepEqual([exit, code], [2, "bad-tls"], text);
    assert.match(text, message);
  }
});
