// The receiver against a daemon that sends what it likes: honest trees arrive whole, hostile ones leave nothing behind.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, beforeEach, test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { openCall, type Peer, packets } from "../../test/support/daemon-peer.ts";
import { frame } from "../grpc/frame.ts";
import { Mode, PacketType } from "./packet.ts";
import { createReceiver, type Receiver, type ReceiverOptions } from "./receive.ts";

const base = fs.mkdtempSync(path.join(os.tmpdir(), "dagger-receive-"));
let work = "";
let dest = "";
let count = 0;
after(() => fs.rmSync(base, { recursive: true, force: true }));
beforeEach(() => {
  work = path.join(base, String(count++));
  dest = path.join(work, "dest");
  fs.mkdirSync(work);
});

interface Transfer {
  readonly peer: Peer;
  readonly receiver: Receiver;
  readonly result: Promise<unknown>;
}

/** Serves a receiver; `result` is the error that it ended with, or undefined. */
async function start(options: Partial<ReceiverOptions> = {}): Promise<Transfer> {
  const receiver = createReceiver({ memory: ["values"], dirs: [{ prefix: "dirs/0", dest }], ...options });
  let settle: (error: unknown) => void = () => {};
  const result = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  const peer = await openCall(async (call) => {
    try {
      await receiver.receive(call);
      settle(undefined);
    } catch (error) {
      settle(error);
      throw error;
    }
  });
  return { peer, receiver, result };
}

/** Sends a whole tree, with the data of each file that is asked for. */
async function transfer(t: Transfer, stats: readonly Buffer[], contents: Readonly<Record<number, string>> = {}): Promise<unknown> {
  t.peer.send(...stats, packets.end());
  for (let packet = await t.peer.next(); packet !== undefined; packet = await t.peer.next()) {
    if (packet.type === PacketType.request) {
      const content = contents[packet.id] ?? "";
      if (content !== "") t.peer.send(packets.data(packet.id, content));
      t.peer.send(packets.data(packet.id, "")); // an empty one ends the file
    }
    if (packet.type === PacketType.finish) t.peer.send(packets.finish());
    if (packet.type === PacketType.error) break;
  }
  const error = await t.result;
  await t.peer.close();
  return error;
}

test("values come into memory; files, links, modes and times into the destination", async () => {
  const t = await start();
  const mtime = 1_600_000_000_123_456_000n;
  const stats = [
    packets.dir("dirs"),
    packets.dir("dirs/0", { mtime }),
    packets.file("dirs/0/a", { mode: 0o755, mtime }),
    packets.file("dirs/0/b", { linkname: "dirs/0/a" }),
    packets.symlink("dirs/0/s", "/etc/passwd"),
    packets.dir("dirs/0/sub", { mode: (Mode.dir | 0o500) >>> 0, mtime }),
    packets.file("dirs/0/sub/übung 🎉", { mode: (Mode.setuid | 0o711) >>> 0 }),
    packets.dir("values"),
    packets.file("values/v"),
  ];
  assert.equal(await transfer(t, stats, { 2: "hello", 8: "42" }), undefined);
  assert.equal(fs.existsSync(dest), false, "nothing is in place before commit");
  assert.deepEqual(await t.receiver.commit(), [{ dest, files: 4, bytes: 5 }]);
  assert.equal(t.receiver.values.get("values/v")?.toString(), "42");
  assert.equal(fs.readFileSync(path.join(dest, "b"), "utf8"), "hello");
  assert.equal(fs.statSync(path.join(dest, "a")).ino, fs.statSync(path.join(dest, "b")).ino);
  assert.equal(fs.readlinkSync(path.join(dest, "s")), "/etc/passwd");
  assert.equal(fs.statSync(path.join(dest, "sub")).mode & 0o777, 0o500);
  assert.equal(fs.statSync(path.join(dest, "sub/übung 🎉")).mode & 0o7777, 0o4711);
  for (const name of ["", "a", "sub"])
    assert.equal(fs.statSync(path.join(dest, name), { bigint: true }).mtimeNs / 1000n, mtime / 1000n, name);
  assert.deepEqual(fs.readdirSync(work), ["dest"], "no staging directory stays");
});

test("an existing destination is merged: new files replace old ones, other files stay, symlinks inside are never followed", async () => {
  const outside = path.join(work, "outside");
  fs.mkdirSync(outside);
  fs.mkdirSync(path.join(dest, "both"), { recursive: true });
  fs.writeFileSync(path.join(dest, "both/old"), "old");
  fs.writeFileSync(path.join(dest, "both/changed"), "before");
  fs.writeFileSync(path.join(outside, "target"), "untouched");
  fs.symlinkSync(outside, path.join(dest, "dir"));
  fs.symlinkSync(path.join(outside, "target"), path.join(dest, "file"));
  fs.mkdirSync(path.join(dest, "wasdir/x"), { recursive: true });
  const t = await start();
  const stats = [
    packets.dir("dirs"),
    packets.dir("dirs/0", { mode: (Mode.dir | 0o700) >>> 0 }),
    packets.dir("dirs/0/both"),
    packets.file("dirs/0/both/changed"),
    packets.dir("dirs/0/dir"),
    packets.file("dirs/0/dir/in"),
    packets.file("dirs/0/file"),
    packets.file("dirs/0/wasdir"),
  ];
  assert.equal(await transfer(t, stats, { 3: "after", 5: "in", 6: "new" }), undefined);
  await t.receiver.commit();
  assert.equal(fs.readFileSync(path.join(dest, "both/old"), "utf8"), "old");
  assert.equal(fs.readFileSync(path.join(dest, "both/changed"), "utf8"), "after");
  assert.equal(fs.readFileSync(path.join(dest, "dir/in"), "utf8"), "in");
  assert.equal(fs.lstatSync(path.join(dest, "dir")).isSymbolicLink(), false);
  assert.deepEqual(fs.readdirSync(outside), ["target"]);
  assert.equal(fs.readFileSync(path.join(outside, "target"), "utf8"), "untouched");
  assert.equal(fs.lstatSync(path.join(dest, "wasdir")).isFile(), true);
  assert.equal(fs.statSync(dest).mode & 0o777, 0o755, "the user's own directory keeps its mode");
});

test("a destination that is to be exact has nothing else afterwards, and keeps what a symlink in it leads to", async () => {
  const outside = path.join(work, "outside");
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, "target"), "untouched");
  fs.mkdirSync(path.join(dest, "both/gone"), { recursive: true });
  fs.writeFileSync(path.join(dest, "both/old"), "old");
  fs.writeFileSync(path.join(dest, "both/gone/deep"), "old");
  fs.symlinkSync(outside, path.join(dest, "link"));
  const t = await start({ dirs: [{ prefix: "dirs/0", dest, exact: true }] });
  const stats = [packets.dir("dirs"), packets.dir("dirs/0"), packets.dir("dirs/0/both"), packets.file("dirs/0/both/new")];
  assert.equal(await transfer(t, stats, { 3: "new" }), undefined);
  await t.receiver.commit();
  assert.deepEqual(fs.readdirSync(dest, { recursive: true }).sort(), ["both", "both/new"]);
  assert.deepEqual(fs.readdirSync(outside), ["target"]);
});

test("a destination that is a symlink is followed, because the user named it; a single file is saved as a file; nothing is an empty directory", async () => {
  const real = path.join(work, "real");
  fs.mkdirSync(real);
  fs.symlinkSync(real, dest);
  const other = path.join(work, "made/for/it");
  const empty = path.join(work, "empty");
  const t = await start({
    dirs: [
      { prefix: "dirs/0", dest },
      { prefix: "dirs/1", dest: other },
      { prefix: "dirs/2", dest: empty },
    ],
  });
  const stats = [packets.dir("dirs"), packets.dir("dirs/0"), packets.file("dirs/0/f"), packets.file("dirs/1"), packets.file("dirs/1x")];
  assert.match(String(await transfer(t, stats)), /which nothing asked for/);
  assert.equal(fs.existsSync(path.join(work, "made")), false, "directories made for a destination go again");
  const again = await start({
    dirs: [
      { prefix: "dirs/0", dest },
      { prefix: "dirs/1", dest: other },
      { prefix: "dirs/2", dest: empty },
    ],
  });
  assert.equal(await transfer(again, stats.slice(0, 4), { 2: "f", 3: "one" }), undefined);
  await again.receiver.commit();
  assert.equal(fs.readFileSync(path.join(real, "f"), "utf8"), "f");
  assert.equal(fs.readFileSync(other, "utf8"), "one");
  assert.deepEqual(fs.readdirSync(empty), []);
});

test("what no honest daemon sends is refused, and nothing is written", async () => {
  const device = { mode: (Mode.device | 0o644) >>> 0 };
  const inDir = [packets.dir("dirs"), packets.dir("dirs/0")];
  const trees: readonly (readonly [string, readonly Buffer[], RegExp])[] = [
    ["absolute", [packets.file("/etc/x")], /is absolute/],
    ["upwards", [packets.file("../x")], /leads outside/],
    ["upwards inside", [...inDir, packets.file("dirs/0/../../x")], /leads outside/],
    ["unclean", [...inDir, packets.file("dirs/0//x")], /is not clean/],
    ["empty", [packets.file("")], /is not clean/],
    ["NUL", [...inDir, packets.file("dirs/0/a\0b")], /NUL/],
    ["through a symlink", [...inDir, packets.symlink("dirs/0/s", "/tmp"), packets.file("dirs/0/s/x")], /before the directory/],
    ["through a file", [...inDir, packets.file("dirs/0/f"), packets.file("dirs/0/f/x")], /before the directory/],
    ["twice", [...inDir, packets.file("dirs/0/f"), packets.file("dirs/0/f")], /out of order/],
    ["unsorted", [...inDir, packets.file("dirs/0/b"), packets.file("dirs/0/a")], /out of order/],
    ["a missing parent", [packets.file("dirs/0/a")], /before the directory/],
    ["a hard link to nowhere", [...inDir, packets.file("dirs/0/h", { linkname: "../../etc/passwd" })], /hard link/],
    [
      "a hard link to a symlink",
      [...inDir, packets.symlink("dirs/0/a", "/etc/passwd"), packets.file("dirs/0/h", { linkname: "dirs/0/a" })],
      /hard link/,
    ],
    ["something else", [packets.file("other")], /which nothing asked for/],
    ["data of a file never asked for", [...inDir, packets.data(7, "x")], /was not asked for/],
    ["more after the end", [packets.end(), packets.file("z")], /after its end/],
    ["an early FIN", [...inDir, packets.file("dirs/0/f"), packets.finish()], /before all files came/],
    ["an unknown packet", [frame(Buffer.from([8, 9]))], /unknown type/],
    ["noise", [frame(Buffer.from([255, 255, 255]))], /cut short/],
    ["a device", [...inDir, packets.file("dirs/0/null", device)], /it is a device/],
  ];
  for (const [name, stats, message] of trees) {
    const t = await start();
    const error = await transfer(t, stats);
    assert.ok(error instanceof UserError, `${name}: ${String(error)}`);
    assert.match(error.message, message, name);
    assert.deepEqual(fs.readdirSync(work), [], name);
  }
});

test("an error of the daemon, and a broken stream, leave nothing behind", async () => {
  const failing = await start();
  failing.peer.send(packets.dir("dirs"), packets.dir("dirs/0"), packets.file("dirs/0/f"), packets.error("disk broken"));
  assert.match(String(await failing.result), /disk broken/);
  await failing.peer.close();
  const broken = await start();
  broken.peer.send(packets.dir("dirs"), packets.dir("dirs/0"), packets.file("dirs/0/f"));
  assert.equal((await broken.peer.next())?.type, PacketType.request);
  broken.peer.send(packets.data(2, "half"));
  broken.peer.cut();
  assert.match(String(await broken.result), /stopped sending/);
  await broken.peer.close();
  assert.deepEqual(fs.readdirSync(work), []);
});

test("what is here and was said to be is kept when the session ends before the daemon's own finish", async () => {
  const t = await start();
  t.peer.send(packets.dir("dirs"), packets.dir("dirs/0"), packets.file("dirs/0/f"), packets.file("values"), packets.end());
  for (let packet = await t.peer.next(); packet?.type !== PacketType.finish; packet = await t.peer.next()) {
    assert.equal(packet?.type, PacketType.request);
    t.peer.send(packets.data(packet.id, "whole"), packets.data(packet.id, ""));
  }
  t.peer.cut();
  assert.equal(await t.result, undefined);
  assert.equal(t.receiver.values.get("values")?.toString(), "whole");
  await t.receiver.commit();
  assert.equal(fs.readFileSync(path.join(dest, "f"), "utf8"), "whole");
  await t.peer.close();
});

test("names with newlines arrive as they are, and are told on one line", async () => {
  const inDir = [packets.dir("dirs"), packets.dir("dirs/0")];
  const t = await start();
  assert.equal(await transfer(t, [...inDir, packets.file("dirs/0/a\nb")], { 2: "x" }), undefined);
  await t.receiver.commit();
  assert.deepEqual(fs.readdirSync(dest), ["a\nb"]);
  const hostile = await start({ dirs: [{ prefix: "dirs/0", dest: path.join(work, "other") }] });
  const error = await transfer(hostile, [...inDir, packets.file("dirs/0/a\n\x1b[2J/../../x")]);
  assert.ok(error instanceof UserError);
  assert.doesNotMatch(error.message, /[\n\x1b]/);
});

test("a million entries are taken, and when the last of them is hostile nothing is left", async () => {
  const t = await start();
  t.peer.send(packets.dir("dirs"), packets.dir("dirs/0"));
  for (let from = 0; from < 1_000_000; from += 10_000) {
    const names = Array.from({ length: 10_000 }, (_, i) => packets.file(`dirs/0/${String(from + i).padStart(7, "0")}`));
    t.peer.send(Buffer.concat(names));
  }
  assert.match(String(await transfer(t, [packets.file("dirs/0/../../x")])), /leads outside/);
  assert.deepEqual(fs.readdirSync(work), []);
});

test("a million empty values are refused before they fill the memory", async () => {
  const t = await start();
  t.peer.send(packets.dir("values"));
  const names = Array.from({ length: 1_000_000 }, (_, i) => packets.file(`values/${String(i).padStart(7, "0")}`));
  assert.match(String(await transfer(t, [Buffer.concat(names)])), /larger than 32 MiB together/);
});

test("values that are too large together are refused before they fill the memory", async () => {
  const t = await start({ memoryLimit: 1000 });
  const error = await transfer(t, [packets.dir("values"), packets.file("values/a"), packets.file("values/b")], {
    1: "x".repeat(600),
    2: "x".repeat(600),
  });
  assert.ok(error instanceof UserError);
  assert.deepEqual([error.exit, error.diagnostics[0]?.code], [1, "value-too-large"]);
});

test("a full disk is one clear error, and nothing is half-written", async () => {
  const mount = path.join(work, "small");
  fs.mkdirSync(mount);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", mount]);
  try {
    for (const size of [200_000, 900_000]) {
      const t = await start({ dirs: [{ prefix: "dirs/0", dest: path.join(mount, "out"), at: [{ file: "a.cue", line: 3, column: 1 }] }] });
      const error = await transfer(t, [packets.dir("dirs"), packets.dir("dirs/0"), packets.file("dirs/0/f")], { 2: "x".repeat(size) });
      assert.ok(error instanceof UserError, String(error));
      assert.deepEqual([error.exit, error.diagnostics[0]?.code, error.diagnostics[0]?.at[0]?.line], [3, "disk-full", 3]);
      assert.match(error.message, /No space is left on the disk of .*small\/out/);
      assert.deepEqual(fs.readdirSync(mount), []);
    }
  } finally {
    execFileSync("umount", [mount]);
  }
});

test("a place that cannot be written to is named", async () => {
  fs.writeFileSync(path.join(work, "file"), "");
  const t = await start({ dirs: [{ prefix: "dirs/0", dest: path.join(work, "file/below") }] });
  const error = await transfer(t, [packets.dir("dirs"), packets.dir("dirs/0")]);
  assert.ok(error instanceof UserError);
  assert.match(error.message, /Cannot save to .*file\/below: a file is in the way/);
});
