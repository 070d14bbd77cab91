// The parts of services that are seen best by themselves: bounded logs, marks of processes, looks at readiness.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ServiceLog } from "./log.ts";
import { look } from "./probe.ts";
import { isRunning, markOf } from "./state.ts";
import { digestTree } from "./tree.ts";

const dir = mkdtempSync(join(tmpdir(), "services-"));
after(() => rmSync(dir, { recursive: true, force: true }));

test("a log keeps its last part when it grows, and no secret, also one that comes in two pieces", () => {
  const file = join(dir, "log");
  const log = new ServiceLog(file, ["s3cr3t-value"]);
  log.write(1, Buffer.from("it is s3cr3t"));
  log.write(1, Buffer.from("-value\n"));
  log.say("told s3cr3t-value");
  assert.equal(readFileSync(file, "utf8"), "it is ***\ndagger: told ***\n");
  const piece = Buffer.alloc(1 << 20, "x");
  for (let i = 0; i < 20; i++) log.write(2, piece);
  log.end();
  assert.ok(statSync(file).size + statSync(`${file}.1`).size < 14 << 20);
});

test("a process is known by more than its number, and one that has ended is none", async () => {
  const child = spawn("sleep", ["1000"]);
  await once(child, "spawn");
  const mark = markOf(child.pid as number);
  assert.equal(isRunning(mark), true);
  assert.equal(isRunning({ pid: process.pid, mark: mark?.mark ?? "" }), false);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(isRunning(mark), false);
});

test("a service is ready when its address answers well, and else one is told why not", async () => {
  let status = 503;
  const server = createServer((_, response) => {
    response.statusCode = status;
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const base = { timeout: 1000, interval: 10 };
  const command = { env: { PATH: process.env["PATH"] ?? "" }, cwd: dir, signal: new AbortController().signal };
  const url = `http://127.0.0.1:${port}/`;
  assert.equal(await look({ kind: "http", what: url, ...base }, command), `${url} answers with status 503`);
  status = 204;
  assert.equal(await look({ kind: "http", what: url, ...base }, command), undefined);
  assert.equal(await look({ kind: "tcp", what: `127.0.0.1:${port}`, ...base }, command), undefined);
  server.closeAllConnections();
  server.close();
  await once(server, "close");
  assert.equal(
    await look({ kind: "tcp", what: `127.0.0.1:${port}`, ...base }, command),
    `127.0.0.1:${port} takes no connection (ECONNREFUSED)`,
  );
  assert.equal(await look({ kind: "command", what: ["sh", "-c", "true"], ...base }, command), undefined);
  assert.equal(
    await look({ kind: "command", what: ["sh", "-c", "echo not yet; exit 2"], ...base }, command),
    "sh -c echo not yet; exit 2 ended with exit code 2: not yet",
  );
});

test("the digest of a tree tells names, contents, permissions and links, and not times", async () => {
  const tree = mkdtempSync(join(dir, "tree-"));
  writeFileSync(join(tree, "a"), "1");
  symlinkSync("a", join(tree, "b"));
  const before = await digestTree(tree);
  writeFileSync(join(tree, "a"), "1");
  assert.equal(await digestTree(tree), before);
  writeFileSync(join(tree, "a"), "2");
  assert.notEqual(await digestTree(tree), before);
});
