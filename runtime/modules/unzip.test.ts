// Archives of modules, honest and hostile ones: what is refused leaves nothing outside of its directory.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { UserError } from "../../compiler/diagnostic.ts";
import { makeZip, type ZipEntry } from "../../test/support/zip.ts";
import { unzip } from "./unzip.ts";

const work = fs.mkdtempSync(path.join(os.tmpdir(), "unzip-"));
after(() => fs.rmSync(work, { recursive: true, force: true }));

const module = { path: "example.com/lib", version: "v0.1.0" };
const own: ZipEntry = { name: "cue.mod/module.cue", data: 'module: "example.com/lib@v0"\n' };

let count = 0;
async function unpack(bytes: Buffer): Promise<string> {
  const place = path.join(work, `${count++}`);
  fs.mkdirSync(place);
  fs.writeFileSync(path.join(place, "m.zip"), bytes);
  await unzip(path.join(place, "m.zip"), path.join(place, "dir"), module);
  return path.join(place, "dir");
}

async function refusal(bytes: Buffer): Promise<string> {
  const before = fs.readdirSync(work).length;
  const error = await unpack(bytes).then(
    () => assert.fail("it was accepted"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UserError, String(error));
  assert.deepEqual([error.exit, error.diagnostics[0]?.code], [3, "module-damaged"]);
  assert.ok(error.message.startsWith("the module example.com/lib@v0.1.0 is damaged: its archive cannot be unpacked: "), error.message);
  assert.equal(fs.readdirSync(work).length, before + 1, "something lies beside it");
  assert.deepEqual(
    fs.readdirSync(path.join(work, `${count - 1}`)).filter((name) => name !== "dir"),
    ["m.zip"],
  );
  return error.message.split("unpacked: ")[1] as string;
}

test("an honest archive is unpacked, packed and unpacked entries, to files that nobody writes to", async () => {
  const text = "package lib\n".repeat(50);
  const dir = await unpack(
    makeZip([
      own,
      { name: "sub/", mode: 0o40755 },
      { name: "sub/a.cue", data: "package sub\n" },
      { name: "b.cue", data: text, packed: deflateRawSync(text) },
    ]),
  );
  assert.equal(fs.readFileSync(path.join(dir, "sub/a.cue"), "utf8"), "package sub\n");
  assert.equal(fs.readFileSync(path.join(dir, "b.cue"), "utf8"), text);
  assert.equal(fs.statSync(path.join(dir, "b.cue")).mode & 0o777, 0o444);
});

for (const [what, name] of [
  ["leads upwards", "../evil.cue"],
  ["leads upwards from inside", "a/../../evil.cue"],
  ["is absolute", "/tmp/evil.cue"],
  ["has a drive", "C:/evil.cue"],
  ["has backslashes", "..\\evil.cue"],
  ["has an empty element", "a//b.cue"],
  ["is a dot", "./a.cue"],
  ["ends with a dot", "a./b.cue"],
  ["has a control character", "a\nb.cue"],
  ["has a NUL", "a\0b.cue"],
] as const)
  test(`a name that ${what} is refused`, async () => {
    assert.match(await refusal(makeZip([own, { name, data: "x" }])), /name|path|characters/);
  });

for (const [what, entries, message] of [
  ["a link", [own, { name: "a.cue", data: "/etc/passwd", mode: 0o120777 }], /^a\.cue is a link$/],
  ["the same name twice", [own, { name: "a.cue" }, { name: "a.cue" }], /^a\.cue is there twice/],
  ["names that differ by case only", [own, { name: "a.cue" }, { name: "A.cue" }], /differs from another name only by case/],
  ["directories that differ by case only", [own, { name: "d/a.cue" }, { name: "D/b.cue" }], /differs from another name only by case/],
  ["a file below a file", [own, { name: "a" }, { name: "a/b.cue" }], /^a\/b\.cue is there twice/],
  ["a module inside", [own, { name: "sub/cue.mod/module.cue" }], /belongs to another module inside this one/],
  ["no module file", [{ name: "a.cue" }], /^there is no cue\.mod\/module\.cue$/],
  ["nothing at all", [], /^there is no cue\.mod\/module\.cue$/],
  [
    "more than it may unpack to",
    [own, { name: "a.cue", packed: Buffer.from("x"), size: 501 << 20 }],
    /unpacks to more than 524288000 bytes/,
  ],
  ["a module file that is too large", [{ ...own, packed: Buffer.from("x"), size: 17 << 20 }], /module\.cue is larger than 16777216 bytes/],
  [
    "more bytes than it says",
    [own, { name: "bomb.cue", packed: deflateRawSync(Buffer.alloc(64 << 20)), size: 10 }],
    /too many bytes|invalid|size/,
  ],
  ["fewer bytes than it says", [own, { name: "a.cue", packed: deflateRawSync(Buffer.from("x")), size: 10 }], /not enough bytes|size/],
  ["an encrypted file", [own, { name: "a.cue", data: "x", encrypted: true }], /encrypted|mismatch/],
  ["an unknown compression", [own, { name: "a.cue", data: "x", method: 99 }], /compression method/],
] satisfies [string, ZipEntry[], RegExp][])
  test(`an archive with ${what} is refused`, async () => {
    assert.match(await refusal(makeZip(entries)), message);
  });

test("an archive that is cut off, that is none, or whose count of files is false is refused", async () => {
  const whole = makeZip([own, { name: "a.cue", data: "package a\n" }]);
  for (const bytes of [whole.subarray(0, whole.length - 30), whole.subarray(30), Buffer.from("<html>"), Buffer.alloc(0), makeZip([own], 3)])
    await refusal(bytes);
});

test("an archive with more files than any module has is refused before they are listed", async () => {
  const entry = (i: number): ZipEntry => ({ name: `f${i}` });
  const many = makeZip(Array.from({ length: 1000 }, (_, i) => entry(i)));
  // The record of zip64 tells the count; the plain one says that it does.
  const end = many.subarray(many.length - 22);
  const zip64 = Buffer.alloc(76);
  zip64.write("PK\x06\x06", 0, "latin1");
  zip64.writeBigUInt64LE(44n, 4);
  zip64.writeBigUInt64LE(1_000_000n, 24);
  zip64.writeBigUInt64LE(1_000_000n, 32);
  zip64.writeBigUInt64LE(BigInt(end.readUInt32LE(12)), 40);
  zip64.writeBigUInt64LE(BigInt(end.readUInt32LE(16)), 48);
  zip64.write("PK\x06\x07", 56, "latin1");
  zip64.writeBigUInt64LE(BigInt(many.length - 22), 64);
  zip64.writeUInt32LE(1, 72);
  const last = Buffer.from(end);
  last.writeUInt16LE(0xffff, 10);
  assert.match(await refusal(Buffer.concat([many.subarray(0, many.length - 22), zip64, last])), /^it has more than 100000 files$/);
});
