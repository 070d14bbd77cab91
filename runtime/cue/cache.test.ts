// The cache of evaluations: damaged files, other processes, limits, directories that cannot be written.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { Cache } from "./cache.ts";
import { inDirectory } from "./testing.ts";

const question = { a: 1 };

function only(dir: string): string {
  const [name, ...more] = readdirSync(dir);
  assert.deepEqual(more, []);
  return path.join(dir, name as string);
}

test("an answer is kept for its question, and for one program only", () =>
  inDirectory({}, async (top) => {
    const dir = path.join(top, "new/cache");
    const cache = new Cache({ dir, identity: "one" });
    assert.equal(cache.get("value", question), undefined);
    cache.put("value", question, Buffer.from("answer"));
    assert.equal(cache.get("value", question)?.toString(), "answer");
    assert.equal(cache.get("source", question), undefined);
    assert.equal(cache.get("value", { a: 2 }), undefined);
    assert.equal(new Cache({ dir, identity: "two" }).get("value", question), undefined);
    assert.equal(statSync(dir).mode & 0o777, 0o700);
    assert.equal(statSync(only(dir)).mode & 0o777, 0o600);
  }));

test("a file cut at any length, or with any byte changed, is unknown and goes", () =>
  inDirectory({}, async (dir) => {
    const cache = new Cache({ dir, identity: "" });
    cache.put("value", question, Buffer.from("an answer"));
    const file = only(dir);
    const whole = readFileSync(file);
    for (let length = 0; length < whole.length; length++) {
      for (const damaged of [whole.subarray(0, length), flip(whole, length)]) {
        writeFileSync(file, damaged);
        assert.equal(cache.get("value", question), undefined, `${length}`);
        assert.deepEqual(readdirSync(dir), []);
      }
    }
  }));

function flip(bytes: Buffer, at: number): Buffer {
  const out = Buffer.from(bytes);
  out[at] = (out[at] as number) ^ 1;
  return out;
}

test("an empty answer is an answer", () =>
  inDirectory({}, async (dir) => {
    const cache = new Cache({ dir, identity: "" });
    cache.put("value", question, Buffer.alloc(0));
    assert.equal(cache.get("value", question)?.length, 0);
  }));

test("what was used least recently goes when there is too much", () =>
  inDirectory({}, async (dir) => {
    const cache = new Cache({ dir, identity: "", limit: 10_000 });
    const put = (i: number): void => cache.put("value", i, Buffer.alloc(1900, i));
    const files = new Map<number, string>();
    for (let i = 0; i < 5; i++) {
      put(i);
      files.set(i, path.join(dir, readdirSync(dir).find((name) => ![...files.values()].includes(path.join(dir, name))) as string));
      utimesSync(files.get(i) as string, i + 1, i + 1);
    }
    assert.equal(cache.get("value", 0)?.length, 1900, "used now");
    put(5);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].filter((i) => cache.get("value", i)),
      [0, 4, 5],
    );
  }));

test("an answer that would fill the cache alone is not kept", () =>
  inDirectory({}, async (dir) => {
    const cache = new Cache({ dir, identity: "", limit: 1000 });
    cache.put("value", question, Buffer.alloc(900));
    assert.deepEqual(readdirSync(dir), []);
  }));

test("unfinished files of processes that died are removed once they are old", () =>
  inDirectory({ ".1-dead": "x", ".2-alive": "x" }, async (dir) => {
    utimesSync(path.join(dir, ".1-dead"), 1, 1);
    new Cache({ dir, identity: "" }).put("value", question, Buffer.from("x"));
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith(".")),
      [".2-alive"],
    );
  }));

test("where nothing can be kept, nothing is, and nothing fails", () =>
  inDirectory({ file: "" }, async (dir) => {
    const cache = new Cache({ dir: path.join(dir, "file/below"), identity: "" });
    cache.put("value", question, Buffer.from("x"));
    assert.equal(cache.get("value", question), undefined);
  }));

test("many processes that read and write the same answers never see a wrong one", () =>
  inDirectory({}, async (dir) => {
    const script = `
      const { Cache } = await import(${JSON.stringify(new URL("./cache.ts", import.meta.url).href)});
      const cache = new Cache({ dir: ${JSON.stringify(dir)}, identity: "", limit: 200000 });
      let found = 0;
      for (let i = 0; i < 300; i++) {
        const answer = cache.get("value", i % 20);
        if (answer && !answer.equals(Buffer.alloc(20000, i % 20))) throw new Error("wrong answer");
        if (answer) found++;
        cache.put("value", i % 20, Buffer.alloc(20000, i % 20));
      }
      console.log(found);`;
    const children = Array.from({ length: 3 }, () =>
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], { stdio: ["ignore", "ignore", "inherit"] }),
    );
    for (const [code] of await Promise.all(children.map((child) => once(child, "exit")))) assert.equal(code, 0);
    assert.deepEqual(
      readdirSync(dir).filter((name) => name.startsWith(".")),
      [],
    );
  }));
