// The scrubber on values of many kinds, in every form, cut at every place; and against a plain search as its judge.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { describe, test } from "node:test";
import { UserError } from "../../compiler/index.ts";
import { Scrubber } from "./scrubber.ts";

const secret = 's3cr3t/Pä$$+word?&"x"';

function scrubberOf(...values: (string | Uint8Array)[]): Scrubber {
  const scrubber = new Scrubber();
  for (const value of values) scrubber.learn(Buffer.from(value));
  return scrubber;
}

/** As a stream gives it that comes in pieces of these sizes. */
function inPieces(scrubber: Scrubber, text: string, sizes: readonly number[]): string {
  const stream = scrubber.stream();
  const bytes = Buffer.from(text);
  const out: Uint8Array[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    out.push(stream.push(bytes.subarray(at, at + size)));
    at += size;
  }
  out.push(stream.end());
  return Buffer.concat(out).toString();
}

/** The forms by name, made by other means than those of the product where there are any. */
function formsOf(value: string): Record<string, string> {
  const sh = (command: string): string => spawnSync("sh", ["-c", command], { input: value, encoding: "utf8" }).stdout;
  return {
    plain: value,
    hex: Buffer.from(value).toString("hex"),
    HEX: Buffer.from(value).toString("hex").toUpperCase(),
    url: encodeURIComponent(value),
    form: new URLSearchParams({ x: value }).toString().slice(2),
    json: JSON.stringify(value).slice(1, -1),
    base64: sh("base64 -w0"),
    base64url: Buffer.from(value).toString("base64url"),
    "base64 after one byte": Buffer.from(`:${value}`).toString("base64"),
    "base64 after two bytes": Buffer.from(`ab${value}`).toString("base64"),
    "base64 within": Buffer.from(`user:${value}@host`).toString("base64"),
    python: sh("python3 -c 'import sys, urllib.parse; print(urllib.parse.quote(sys.stdin.read()), end=\"\")'"),
    "python json": sh("python3 -c 'import sys, json; print(json.dumps(sys.stdin.read())[1:-1], end=\"\")'"),
  };
}

describe("what stands for a secret", () => {
  for (const value of [
    secret,
    "correct horse battery staple",
    "AKIAIOSFODNN7EXAMPLE",
    "pass",
    randomText(48),
    randomText(200),
    randomText(5000),
  ]) {
    for (const [name, form] of Object.entries(formsOf(value))) {
      test(`a value of ${value.length} characters is hidden as ${name}`, () => {
        const scrubber = scrubberOf(value);
        const clean = scrubber.text(`before ${form} after`);
        assert.match(clean, /^before .{0,11}\*\*\*.{0,11} after$/s);
        // However it is cut.
        for (const sizes of [[1], [2, 3], [7], [64, 1], [form.length + 5, 1]]) {
          assert.equal(inPieces(scrubber, `before ${form} after`, sizes), clean);
        }
      });
    }
  }

  test("base64 that is cut into lines is hidden, by any alignment and any place of the cut", () => {
    const value = randomText(40);
    const scrubber = scrubberOf(value);
    for (let before = 0; before < 60; before++) {
      const text = Buffer.from("x".repeat(before) + value + "y".repeat(20)).toString("base64");
      for (const wrapped of [text.replace(/.{76}/g, "$&\n"), text.replace(/.{64}/g, "$&\r\n")]) {
        const clean = scrubber.text(wrapped).replaceAll(/[\r\n]/g, "");
        assert.ok(clean.includes("***"), `${before}: ${clean}`);
        // No more than some characters at its ends stay.
        const left = Buffer.from(clean.replaceAll("*", "=")).toString();
        for (let at = 0; at + 10 <= text.length; at++) {
          const inside = at * 6 >= before * 8 && (at + 10) * 6 <= (before + value.length) * 8;
          if (inside) assert.ok(!left.includes(text.slice(at, at + 10)), `${before}: ${text.slice(at, at + 10)} in ${clean}`);
        }
      }
    }
  });

  test("each line of a longer value is hidden, with whatever ends the lines, but not the first line of a key", () => {
    const key = spawnSync("openssl", ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], { encoding: "utf8" }).stdout;
    const scrubber = scrubberOf(key);
    for (const text of [
      key,
      key.replaceAll("\n", "\r\n"),
      key
        .split("\n")
        .map((line) => `  | ${line}`)
        .join("\n"),
    ]) {
      const clean = scrubber.text(text);
      assert.match(clean, /-----BEGIN PRIVATE KEY-----/);
      for (const line of key.split("\n").slice(1, -2)) {
        for (let at = 0; at + 8 <= line.length; at++) assert.ok(!clean.includes(line.slice(at, at + 8)), clean);
      }
    }
    assert.ok(!/[A-Za-z0-9+/]{12}/.test(scrubber.text(JSON.stringify(key)).replaceAll(/-----[A-Z ]+-----/g, "")));
  });

  test("what is printed without the newline that a file ends with is hidden", () => {
    const scrubber = scrubberOf("from-a-file\n");
    assert.equal(scrubber.text("<from-a-file>"), "<***>");
    assert.equal(scrubber.text(Buffer.from("from-a-file").toString("base64")), "***=");
    assert.equal(scrubber.text(Buffer.from("from-a-file\n").toString("base64")), "***");
  });

  test("several secrets, also such as are part of one another, touch or overlap", () => {
    const scrubber = scrubberOf("abcdef", "cdefgh", "cdef", "xyzxyz");
    assert.equal(scrubber.text("1abcdefgh2"), "1***2");
    assert.equal(scrubber.text("1cdef2"), "1***2");
    assert.equal(scrubber.text("1abcdefxyzxyz2xyzxyzxyz3"), "1***2***3");
    assert.equal(inPieces(scrubber, "1abcdefgh2abcdX cdefX xyzxy", [1]), "1***2abcdX ***X xyzxy");
  });

  test("a value below four bytes is not hidden, and says so", () => {
    const scrubber = new Scrubber();
    assert.equal(scrubber.learn(Buffer.from("abc\n")), false);
    assert.equal(scrubber.learn(Buffer.from("")), false);
    assert.equal(scrubber.text("abc"), "abc");
    assert.equal(scrubber.learn(Buffer.from("abcd")), true);
    assert.equal(scrubber.text("abcd"), "***");
  });

  test("bytes that are no text are hidden", () => {
    const value = createHash("sha256").update("x").digest();
    const scrubber = scrubberOf(value);
    assert.equal(Buffer.from(scrubber.bytes(Buffer.concat([Buffer.from("a"), value, Buffer.from("b")]))).toString(), "a***b");
    assert.equal(scrubber.text(value.toString("hex")), "***");
    assert.equal(scrubber.text(value.toString("base64")), "***=");
  });
});

describe("a stream", () => {
  test("gives what cannot be part of a secret at once, and whole lines also where their end is like a secret's begin", () => {
    const stream = scrubberOf("password1").stream();
    const push = (text: string): string => Buffer.from(stream.push(Buffer.from(text))).toString();
    assert.equal(push("hello p"), "hello ");
    assert.equal(push("eople\n"), "people\n");
    assert.equal(push("a line with pass\n"), "a line with pass\n");
    assert.equal(push("passwor"), "");
    assert.equal(Buffer.from(stream.end()).toString(), "passwor");
    assert.equal(push("d1"), "d1");
  });

  test("keeps little back of a secret that is printed whole", () => {
    const value = randomText(100_000);
    const scrubber = scrubberOf(value);
    const stream = scrubber.stream();
    let told = "";
    for (let at = 0; at < value.length; at += 1000) told += Buffer.from(stream.push(Buffer.from(value.slice(at, at + 1000)))).toString();
    assert.equal(told, "***");
    told += Buffer.from(stream.push(Buffer.from(" end"))).toString();
    assert.equal(told + Buffer.from(stream.end()).toString(), "*** end");
  });

  test("hides a secret that is learnt while it goes on", () => {
    const scrubber = scrubberOf("first-secret");
    const stream = scrubber.stream();
    let told = Buffer.from(stream.push(Buffer.from("a first-secret, second-sec"))).toString();
    scrubber.learn(Buffer.from("second-secret"));
    told += Buffer.from(stream.push(Buffer.from("ret second-"))).toString() + Buffer.from(stream.push(Buffer.from("secret."))).toString();
    assert.equal(told, "a ***, second-secret ***.");
  });

  test("of a pipe goes through a transform", async () => {
    const parts: Buffer[] = [];
    const chunks = ["one se", "cre", "t-value two secret-val"].map((text) => Buffer.from(text));
    await pipeline(chunks, scrubberOf("secret-value").transform(), async (source: AsyncIterable<Buffer>) => {
      for await (const part of source) parts.push(part);
    });
    assert.equal(Buffer.concat(parts).toString(), "one *** two secret-val");
  });

  test("gives what a plain search gives, for random texts of few letters, patterns and cuts", () => {
    const random = sequence(7);
    for (let round = 0; round < 2000; round++) {
      const word = (length: number): string => Array.from({ length }, () => "abc"[random(3)]).join("");
      const values = Array.from({ length: 1 + random(3) }, () => word(4 + random(5)));
      const text = word(random(60));
      const scrubber = scrubberOf(...values);
      assert.equal(inPieces(scrubber, text, [1 + random(9), 1 + random(4)]), plainly(text, values), JSON.stringify({ values, text }));
    }
  });
});

describe("data", () => {
  test("is given back itself when nothing is hidden in it, and when no secret is known", () => {
    const data = { a: [1, "two", { three: 3n }], b: null, c: new Map([["secret-value", 1]]) };
    assert.equal(new Scrubber().data(data), data);
    assert.equal(scrubberOf("secret-value").data(data), data);
  });

  test("is scrubbed in texts at any depth, and where it is values of the config in names and numbers, too", () => {
    const scrubber = scrubberOf("secret-value", "123456", "done");
    const event = { type: "done", time: 123456, deep: [{ text: "a secret-value, done" }] };
    assert.deepEqual(scrubber.data(event), { type: "done", time: 123456, deep: [{ text: "a ***, ***" }] });
    const values = { "is secret-value": 1, type: "done", number: 123456, big: 123456n, fine: 1.5 };
    const clean = { "is ***": 1, type: "***", number: "***", big: "***", fine: 1.5 };
    assert.deepEqual(scrubber.data({ values, computed: { "a.b": 1234567 } }), { values: clean, computed: { "a.b": "***" } });
  });

  test("errors keep their class, exit code and order, and lose the secret from message, findings, stack and causes", () => {
    const cause = new Error("asked with secret-value");
    const error = new UserError(3, [{ code: "x", message: "Got secret-value", at: [], hint: "Try secret-value" }], { cause });
    const clean = scrubberOf("secret-value").data(error);
    assert.ok(clean instanceof UserError);
    assert.equal(clean.exit, 3);
    assert.deepEqual(clean.diagnostics, [{ code: "x", message: "Got ***", at: [], hint: "Try ***" }]);
    assert.equal(clean.message, "Got ***");
    assert.equal((clean.cause as Error).message, "asked with ***");
    assert.ok(!`${clean.stack ?? ""}${(clean.cause as Error).stack ?? ""}`.includes("secret-value"));
  });
});

/** Every byte that is in an occurrence of a value becomes part of a mask. */
function plainly(text: string, values: readonly string[]): string {
  const hidden = new Set<number>();
  for (const value of values) {
    for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1))
      for (let i = 0; i < value.length; i++) hidden.add(at + i);
  }
  return Array.from(text, (one, at) => (hidden.has(at) ? "\0" : one))
    .join("")
    .replaceAll(/\0+/g, "***");
}

/** Numbers below `n`, the same ones in every run. */
function sequence(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
}

function randomText(length: number): string {
  const random = sequence(length);
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/+!% ";
  return Array.from({ length }, (_, at) => letters[at === 0 || at === length - 1 ? 1 + random(50) : random(letters.length)]).join("");
}
