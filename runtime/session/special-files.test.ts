// Files that are neither files nor directories, on their way up: devices, named pipes, sockets.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { sessionServices } from "../../test/support/jobs.ts";
import { copy, definition, exec, file, layoutImage, source } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import { createReceiver } from "./index.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-special-"));
const on = solving();

after(() => fs.rmSync(base, { recursive: true, force: true }));

test("devices keep their numbers, named pipes stay pipes, and a socket becomes an empty file", async () => {
  for (const args of [
    ["char", "c", "1", "3"],
    ["block", "b", "259", "70000"],
    ["pipe", "p"],
  ])
    execFileSync("mknod", [path.join(base, args[0] as string), ...args.slice(1)]);
  const server = net.createServer().listen(path.join(base, "socket"));
  await once(server, "listening");
  try {
    const files = source("local://files", { "local.unique": base });
    const image = layoutImage("busybox", on.layout.digest);
    const script = "cd /files && stat -c '%n %F %t %T' * > /list";
    const listed = exec({
      root: image,
      args: ["/bin/sh", "-c", script],
      mounts: [{ from: files, mount: { dest: "/files", readonly: true } }],
    });
    const receiver = createReceiver({ memory: ["values"], dirs: [] });
    const session = sessionServices(on.layout, { receiver, locals: new Map([["files", { dir: base }]]) });
    const build = await on.client.build({ session, exporters: [{ type: "local", attrs: {} }], record: false, onStatus: () => {} });
    await build.finish(definition(file(undefined, [copy(listed, "/list", "/values/")])));
    assert.deepEqual(receiver.values.get("values/list")?.toString().trim().split("\n"), [
      "block block special file 103 11170",
      "char character special file 1 3",
      "pipe fifo 0 0",
      "socket regular empty file 0 0",
    ]);
  } finally {
    server.close();
  }
});
