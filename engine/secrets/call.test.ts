// Secrets that a function gives: asked once, by name, and no word of a failure is told.
import assert from "node:assert/strict";
import { test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { callProvider } from "./call.ts";
import type { SecretCall } from "./provider.ts";
import { parseSecrets, secretReader } from "./sources.ts";

const scope = { env: {}, cwd: "/" };

test("text is UTF-8, bytes are bytes, and the function is called once", async () => {
  let calls = 0;
  const text = (): string => `schlüssel ${++calls}`;
  const secretCalls = new Map<string, SecretCall>([
    ["text", text],
    ["bytes", () => Uint8Array.of(0, 255)],
  ]);
  const read = secretReader(parseSecrets(["a=call:text", "b=call:bytes"], "/"), { ...scope, secretCalls });
  assert.equal(Buffer.from((await read("a")) ?? "").toString(), "schlüssel 1");
  assert.equal(Buffer.from((await read("a")) ?? "").toString(), "schlüssel 1");
  assert.deepEqual([...((await read("b")) ?? [])], [0, 255]);
});

test("there is none where no function has the name, as on the command line", async () => {
  assert.equal(await callProvider.read("token", scope), undefined);
});

test("what a function throws stays with the program: it may hold the value", async () => {
  const fail = (): never => {
    throw new Error("cannot decode hunter2");
  };
  await assert.rejects(callProvider.read("token", { ...scope, secretCalls: new Map([["token", fail]]) }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.exit, 3);
    assert.equal(error.diagnostics[0]?.code, "secret-call-failed");
    assert.ok(!JSON.stringify(error).includes("hunter2"));
    return true;
  });
});

test("a function that never answers does not outlive the call's signal", async () => {
  const controller = new AbortController();
  const secretCalls = new Map<string, SecretCall>([["token", () => new Promise(() => undefined)]]);
  const asking = callProvider.read("token", { ...scope, signal: controller.signal, secretCalls });
  controller.abort();
  await assert.rejects(asking, (error) => error instanceof UserError && error.exit === 130);
  // Also when it was aborted before.
  await assert.rejects(callProvider.read("token", { ...scope, signal: controller.signal, secretCalls }), UserError);
});
