// Connecting: addresses, and what a person is told when nobody answers.
import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { parseAddress } from "../connect/index.ts";
import { connect } from "./index.ts";

async function failure(address: string, signal?: AbortSignal): Promise<[number, string | undefined, string]> {
  try {
    (await connect(address, signal === undefined ? {} : { signal })).close();
  } catch (error) {
    assert.ok(error instanceof UserError, String(error));
    return [error.exit, error.diagnostics[0]?.code, error.message];
  }
  assert.fail("it connected");
}

test("addresses are read as every BuildKit tool writes them", () => {
  assert.deepEqual(parseAddress("unix:///run/b.sock"), { kind: "unix", text: "unix:///run/b.sock", path: "/run/b.sock" });
  assert.deepEqual(parseAddress("tcp://example.com:1234"), {
    kind: "tcp",
    text: "tcp://example.com:1234",
    host: "example.com",
    port: 1234,
  });
  assert.deepEqual(parseAddress("tcp://[::1]:99"), { kind: "tcp", text: "tcp://[::1]:99", host: "::1", port: 99 });
  for (const bad of ["", "/run/b.sock", "unix://", "tcp://host", "tcp://host:0", "tcp://host:99999", "tcp://a:b:1", "ftp://x"]) {
    assert.throws(
      () => parseAddress(bad),
      (error) => error instanceof UserError && error.exit === 2 && error.diagnostics[0]?.code === "bad-address",
      bad,
    );
  }
});

test("no daemon is an error that says where it was looked for and why it failed", async () => {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-connect-"));
  try {
    const missing = `unix://${dir}/none.sock`;
    assert.deepEqual(await failure(missing), [
      3,
      "no-daemon",
      `Cannot connect to a BuildKit daemon at ${missing}: there is no such socket`,
    ]);
    const server = net.createServer((socket) => socket.resume().end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const [exit, code] = await failure(`tcp://127.0.0.1:${port}`);
    assert.deepEqual([exit, code], [3, "no-daemon"]);
    server.close();
    await once(server, "close");
    assert.match((await failure(`tcp://127.0.0.1:${port}`))[2], /nothing listens there$/);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
});

test("connecting can be interrupted while nobody answers", async () => {
  const server = net.createServer(() => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = new AbortController();
  server.once("connection", () => stop.abort());
  const { port } = server.address() as net.AddressInfo;
  assert.deepEqual((await failure(`tcp://127.0.0.1:${port}`, stop.signal)).slice(0, 2), [130, "interrupted"]);
  assert.deepEqual((await failure(`tcp://127.0.0.1:${port}`, AbortSignal.abort())).slice(0, 2), [130, "interrupted"]);
  server.close();
});
