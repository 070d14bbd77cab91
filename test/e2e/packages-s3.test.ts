// Package s3 on a real S3 server: files there, back, mirrored and listed.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type S3Server, startS3 } from "../support/s3.ts";
import { type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let s3: S3Server;

before(async () => {
  packages = await startPackageBench("docker.io/rclone/rclone:1.71.0");
  s3 = await startS3();
});
after(async () => {
  await s3?.stop();
  await packages?.bench.end();
});

function config(body: string): string {
  const bucket = `bucket: "site", endpoint: "${s3.url}", accessKey: secret: "id", secretKey: secret: "key"`;
  return `package up\n\nimport (\n\t"cuellb.dev/op"\n\t"cuellb.dev/s3"\n)\n\n_op: op.#Scratch\n#Bucket: {${bucket}, ...}\n${body}`;
}

test("files are put into a bucket, mirrored, listed and taken back", async () => {
  const bucket = s3.bucket("site");
  const secrets = { id: s3.accessKey, key: s3.secretKey };
  const put = (files: string) => `put: s3.#Put & #Bucket & {
	prefix: "www"
	delete: true
	headers: "Cache-Control": "max-age=60"
	source: #up: [op.#Scratch, ${files}]
}
`;
  const first = await packages.compute("put", config(put('op.#WriteFile & {dest: "/gone", content: "gone"}')), { secrets });
  assert.equal(first.code, 0, first.stderr);
  assert.equal(readFileSync(join(bucket, "www/gone"), "utf8"), "gone");

  const files = 'op.#WriteFile & {dest: "/index.html", content: "hello"}, op.#WriteFile & {dest: "/a/b \\"c\\"", content: "quoted"}';
  const { code, stdout, stderr } = await packages.compute(
    "back",
    config(`${put(files)}
_list: s3.#List & #Bucket & {prefix: "www", after: [put]}
_get: s3.#Get & #Bucket & {prefix: "www/a", after: [put]}
keys: _list.keys
text: {string, #up: [op.#Load & {from: _get}, op.#Export & {source: "/b \\"c\\""}]}
`),
    { secrets },
  );
  assert.equal(code, 0, stderr);
  const { keys, text } = JSON.parse(stdout) as { keys: string[]; text: string };
  assert.deepEqual(keys, ['a/b "c"', "index.html"]);
  assert.equal(text, "quoted");
  assert.equal(existsSync(join(bucket, "www/gone")), false);
  assert.ok(!stderr.includes(s3.secretKey));
});

test("a wrong key, a missing bucket and a missing object end the run", async () => {
  const get = config('get: s3.#Get & #Bucket & {prefix: "nothing"}\n');
  const wrong = await packages.compute("wrong", get, { secrets: { id: s3.accessKey, key: "wrong" } });
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /SignatureDoesNotMatch|403/);
  const nothing = await packages.compute("nothing", get, { secrets: { id: s3.accessKey, key: s3.secretKey } });
  assert.equal(nothing.code, 1, nothing.stderr);
  const bad = await packages.compute("bad", config('get: s3.#Get & {bucket: "No Bucket", accessKey: "plain"}\n'));
  assert.equal(bad.code, 2);
});
