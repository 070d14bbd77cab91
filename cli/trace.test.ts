// Traces of --debug: the stack, its causes, and places in the sources instead of the bundle.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { inSources, trace } from "./trace.ts";

test("a trace has the stack and the causes", () => {
  assert.match(trace(new Error("outer", { cause: new Error("inner") })), /outer[\s\S]*at [\s\S]*caused by: Error: inner/);
  assert.equal(trace("no error"), "no error\n");
});

test("places in a bundle are said as places in its sources", async () => {
  const dir = mkdtempSync(join(tmpdir(), "trace-"));
  try {
    writeFileSync(join(dir, "source.ts"), 'const unused = 1;\n\nexport function fails(): never {\n  throw new Error("here");\n}\n');
    const bundle = join(dir, "bundle.cjs");
    await build({
      entryPoints: [join(dir, "source.ts")],
      outfile: bundle,
      bundle: true,
      minify: true,
      format: "cjs",
      sourcemap: "linked",
      logLevel: "error",
    });
    // In a process of its own: the one that runs the tests looks places up by itself.
    const program = "try { require(process.argv[1]).fails() } catch (error) { process.stdout.write(error.stack) }";
    const stack = execFileSync(process.execPath, ["-e", program, bundle], { encoding: "utf8", env: {} });
    assert.match(stack, /bundle\.cjs:\d+:\d+/);
    assert.match(inSources(stack, bundle), /source\.ts:4:9/);
    rmSync(`${bundle}.map`);
    assert.equal(inSources(stack, bundle), stack);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
