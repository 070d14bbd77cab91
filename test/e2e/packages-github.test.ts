// Package github against a real HTTP server that stands in for GitHub's API: what is asked of it, with which token and body.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startWebService, type WebService } from "../support/web-service.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let github: WebService;

before(async () => {
  packages = await startPackageBench("docker.io/curlimages/curl:8.15.0");
  github = await startWebService(({ url, body }) => {
    if (url.endsWith("/releases") && body.includes('"v0"')) return { status: 422, body: '{"message": "already_exists"}' };
    return { status: 201, body: '{\n  "url": "https://api/releases/17",\n  "id": 17,\n  "author": {"id": 3}\n}' };
  });
});
after(async () => {
  await github?.stop();
  await packages?.bench.end();
});

function config(body: string): string {
  return `package up

import (
	"cuellb.dev/github"
	"cuellb.dev/op"
)

#In: {repository: "me/app", token: secret: "token", api: "${github.url}/api", ...}
text: {
	string
	#up: [
		op.#FetchContainer & {ref: "docker.io/library/busybox:latest"},
		op.#Exec & {args: ["sh", "-c", "printf 'it is \\"so\\"' > /text"]},
		op.#Export & {source: "/text"},
	]
}
${body}
`;
}

test("statuses, comments and releases with their files reach the API, with the token and values of the run", async () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const { code, stdout, stderr } = await packages.compute(
    "all",
    config(`status: github.#Status & #In & {commit: "${commit}", state: "success", link: "https://ci/1"}
comment: github.#Comment & #In & {issue: 7, "text": text, after: [status]}
release: github.#Release & #In & {
	tag: "v1", notes: text, uploads: "${github.url}/uploads", after: [comment]
	assets: #up: [op.#Scratch, op.#WriteFile & {dest: "/out/app 1.txt", content: "app"}, op.#WriteFile & {dest: "/out/sums", content: "sums"}]
	path: "/out"
}
_custom: github.#Request & #In & {method: "POST", path: "/labels", data: name: "bug", after: [release]}
body: _custom.body
`),
    { secrets: { token: "t0ken" } },
  );
  assert.equal(code, 0, stderr);
  assert.match((JSON.parse(stdout) as { body: string }).body, /"id": 17/);
  assert.doesNotMatch(stdout + stderr, /t0ken/);
  const asked = github.received.map(({ method, url }) => `${method} ${url}`);
  assert.deepEqual(asked, [
    `POST /api/repos/me/app/statuses/${commit}`,
    "POST /api/repos/me/app/issues/7/comments",
    "POST /api/repos/me/app/releases",
    "POST /uploads/repos/me/app/releases/17/assets?name=app.1.txt",
    "POST /uploads/repos/me/app/releases/17/assets?name=sums",
    "POST /api/repos/me/app/labels",
  ]);
  assert.ok(github.received.every(({ headers }) => headers.authorization === "Bearer t0ken"));
  const [status, comment, release, upload] = github.received.map(({ body }) => body);
  assert.deepEqual(JSON.parse(status ?? ""), { state: "success", context: "dagger", description: "", target_url: "https://ci/1" });
  assert.deepEqual(JSON.parse(comment ?? ""), { body: 'it is "so"' });
  assert.deepEqual(JSON.parse(release ?? ""), { tag_name: "v1", name: "v1", body: 'it is "so"', draft: false, prerelease: false });
  assert.equal(upload, "app");
});

test("a release that is there already ends the run with GitHub's words", async () => {
  const again = config('release: github.#Release & #In & {tag: "v0", notes: "x"}');
  const { code, stderr } = await packages.compute("again", again, { secrets: { token: "t" } });
  assert.equal(code, 1);
  assert.match(stderr, /already_exists/);
});
