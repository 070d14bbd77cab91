// Package terraform: the real OpenTofu, with its state in a real S3 server.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type S3Server, startS3 } from "../support/s3.ts";
import { importProgram, type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let s3: S3Server;

before(async () => {
  packages = await startPackageBench();
  s3 = await startS3();
  await importProgram(packages.bench, "tofu", "ghcr.io/opentofu/opentofu:1.10.6");
});
after(async () => {
  await s3?.stop();
  await packages?.bench.end();
});

const configuration = `terraform {
  backend "s3" {
    key                         = "state"
    region                      = "us-east-1"
    use_path_style              = true
    skip_credentials_validation = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    skip_metadata_api_check     = true
    skip_s3_checksum            = true
  }
}
variable "word" { type = string }
variable "hidden" {
  type      = string
  sensitive = true
}
resource "terraform_data" "it" { input = var.word }
output "word" { value = terraform_data.it.output }
output "list" { value = ["a", { b = 1 }] }
output "hidden" {
  value     = var.hidden
  sensitive = true
}
`;

function up(body: string, word: string) {
  const backend = `backend: {bucket: "state", endpoint: "${s3.url}"}, variables: word: "${word}"`;
  const env = `env: {
		AWS_ACCESS_KEY_ID:     op.#Secret & {secret: "id"}
		AWS_SECRET_ACCESS_KEY: op.#Secret & {secret: "key"}
		TF_VAR_hidden:         op.#Secret & {secret: "hidden"}
	}`;
  const head = 'package up\n\nimport (\n\t"cuellb.dev/op"\n\t"cuellb.dev/terraform"\n)\n';
  const files = '_files: #up: [{do: "local", dir: "files"}]';
  return {
    "up.cue": `${head}${files}\n_in: {source: _files, program: "tofu", ${backend}\n\t${env}\n}\n${body}\n`,
    "files/main.tf": configuration,
  };
}

test("a plan tells of changes, applying makes them and gives outputs, and nothing is left to change; destroying removes them", async () => {
  const bucket = s3.bucket("state");
  const secrets = { id: s3.accessKey, key: s3.secretKey, hidden: "sens1tive" };
  const run = async (name: string, body: string, word = "first"): Promise<Record<string, unknown>> => {
    const { code, stdout, stderr } = await packages.compute(name, up(body, word), { secrets });
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stdout + stderr, /sens1tive/);
    return JSON.parse(stdout) as Record<string, unknown>;
  };
  const plan = "_plan: terraform.#Plan & _in\nchanges: _plan.changes";
  assert.deepEqual(await run("plan", plan), { changes: true });
  const applied = await run("apply", "_apply: terraform.#Apply & _in\noutputs: _apply.outputs");
  assert.deepEqual(applied, { outputs: { word: "first", list: ["a", { b: 1 }] } });
  assert.match(readFileSync(join(bucket, "state"), "utf8"), /terraform_data/);
  assert.deepEqual(await run("again", plan), { changes: false });
  assert.deepEqual(await run("other", plan, "second"), { changes: true });
  await run("destroy", "destroy: terraform.#Destroy & {_in, after: [_files]}");
  assert.doesNotMatch(readFileSync(join(bucket, "state"), "utf8"), /terraform_data/);
});

test("a configuration that is wrong ends the run", async () => {
  const files = { ...up("plan: terraform.#Plan & _in", "x"), "files/main.tf": 'output "a" { value = nothing.here }\n' };
  const { code, stderr } = await packages.compute("wrong", files, { secrets: { id: "a", key: "b", hidden: "c" } });
  assert.equal(code, 1);
  assert.match(stderr, /Reference to undeclared resource|Backend|Error/);
});
