// fetch-http on a real buildkitd, from a real HTTP server on loopback: names, modes, owners, headers, checksums, secrets.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Bench, startBench } from "./dagger.ts";

const token = "Bearer s3cret-http-token";
const digest = `sha256:${createHash("sha256").update("public").digest("hex")}`;
let bench: Bench;
let server: Server;
let url: string;
const seen: { path: string; headers: IncomingHttpHeaders }[] = [];

before(async () => {
  server = createServer((request, response) => {
    const path = request.url ?? "";
    seen.push({ path, headers: request.headers });
    if (path === "/private" && request.headers.authorization !== token) response.writeHead(401).end();
    else if (path === "/private") response.end("private");
    else if (path === "/named") response.setHeader("Content-Disposition", 'attachment; filename="from-header"').end("named");
    else if (path.startsWith("/public")) response.end("public");
    else if (path === "/cut") response.writeHead(200, { "Content-Length": "100" }).write("half", () => response.destroy());
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  bench = await startBench();
});
after(async () => {
  server?.closeAllConnections();
  server?.close();
  await bench?.end();
});

async function run(name: string, cue: string, ...flags: string[]) {
  const dir = join(bench.dir, name);
  mkdirSync(dir);
  const show = `#Show: {
	string
	#get: {...}
	#up: [
		{do: "fetch-container", ref: "docker.io/library/busybox:latest"},
		{do: "exec", args: ["sh", "-c", "cd /src && for f in *; do stat -c '%n %a %u:%g' $f; cat $f; done > /out"], mount: "/src": from: {do: "fetch-http"} & #get},
		{do: "export", source: "/out"},
	]
}
`;
  writeFileSync(join(dir, "up.cue"), `package up\n\n${show}${cue}`);
  return bench.dagger(["compute", ...flags, dir]);
}

test("a file has the name, mode and owner that are asked for, or those of the server", async () => {
  const { code, stdout, stderr } = await run(
    "files",
    `plain: #Show & {_, #get: url: "${url}/public.txt?x=1"}
named: #Show & {_, #get: url: "${url}/named"}
given: #Show & {_, #get: {url: "${url}/public", filename: "mine", mode: 0o755, uid: 7, gid: 8, checksum: "${digest}"}}
headers: #Show & {_, #get: {url: "${url}/public-headers", headers: {accept: "text/x-test", userAgent: "my-agent"}}}
`,
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    plain: "public.txt 600 0:0\npublic",
    named: "from-header 600 0:0\nnamed",
    given: "mine 755 7:8\npublic",
    headers: "public-headers 600 0:0\npublic",
  });
  const { accept, "user-agent": agent } = seen.find(({ path }) => path === "/public-headers")?.headers ?? {};
  assert.deepEqual({ accept, agent }, { accept: "text/x-test", agent: "my-agent" });
});

test("a secret is sent as the Authorization header, and is in nothing that is shown", async () => {
  const file = join(bench.dir, "auth.txt");
  writeFileSync(file, token);
  const { code, stdout, stderr } = await run(
    "auth",
    `app: #Show & {_, #get: {url: "${url}/private", auth: secret: "http"}}\n`,
    "--secret",
    `http=file:${file}`,
  );
  assert.equal(code, 0, stderr);
  assert.equal((JSON.parse(stdout) as { app: string }).app, "private 600 0:0\nprivate");
  const llb = await bench.dagger(["llb", "--format", "json", join(bench.dir, "auth")]);
  for (const text of [stderr, llb.stdout, await bench.daemon.log()]) assert.ok(!text.includes("s3cret-http-token"));

  const usual = await run(
    "usual",
    `app: #Show & {_, #get: url: "${url}/private"}\n`,
    "--secret",
    `HTTP_AUTH_HEADER_127.0.0.1=file:${file}`,
  );
  assert.equal(usual.code, 0, usual.stderr);
});

test("another digest, a missing file, a refusal, a server that stops halfway or is not there are each told at their line", async () => {
  const other = `sha256:${"0".repeat(64)}`;
  const cases: [name: string, get: string, words: RegExp][] = [
    ["digest", `{url: "${url}/public", checksum: "${other}"}`, /digest mismatch/],
    ["missing", `{url: "${url}/nothing"}`, /404/],
    ["refused", `{url: "${url}/private"}`, /401/],
    ["cut", `{url: "${url}/cut"}`, /unexpected EOF|connection reset/],
    ["nobody", `{url: "http://127.0.0.1:9/x"}`, /connection refused/],
  ];
  for (const [name, get, words] of cases) {
    const { code, stderr } = await run(name, `app: #Show & {_, #get: ${get}}\n`);
    assert.equal(code, 1, `${name}: ${stderr}`);
    assert.match(stderr, words, name);
    assert.match(stderr, /up\.cue:\d+:\d+/, name);
  }
});
