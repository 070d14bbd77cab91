// One config for each kind of mistake that a person makes, with what the person is told: the real command line, in this process.
// UPDATE=1 rewrites the archives; read the diff: would a newcomer know what to do?
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { run } from "../../cli/run.ts";
import { memoryIo } from "../support/memory-io.ts";
import { formatTxtar, parseTxtar } from "../support/txtar.ts";

const told = "errors.txt";
/** Further words of the command line, on one line. */
const given = "flags.txt";

// Nothing of the person who runs the tests is used or started: no settings, no images, no embedded daemon.
const home = realpathSync(mkdtempSync(join(tmpdir(), "cue-errors-home-")));
const env = { PATH: process.env["PATH"] ?? "", HOME: home, BUILDKIT_HOST: "unix:///nobody/serves/this.sock" };
after(() => rmSync(home, { recursive: true }));

/** What `dagger llb .` says to a directory of files. */
async function complain(files: ReadonlyMap<string, string>): Promise<{ code: number; text: string }> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "cue-errors-")));
  const before = process.cwd();
  try {
    for (const [name, content] of files) {
      if (name === given) continue;
      mkdirSync(dirname(join(dir, name)), { recursive: true });
      writeFileSync(join(dir, name), content);
    }
    process.chdir(dir);
    const io = memoryIo({ env });
    const flags = files.get(given)?.trim().split(" ") ?? [];
    const code = await run(["llb", ".", ...flags], io, new AbortController().signal);
    return { code, text: io.stderr.text.replaceAll(dir, "$WORK") };
  } finally {
    process.chdir(before);
    rmSync(dir, { recursive: true });
  }
}

/** Words of CUE's own workings, of Go and of Node. */
const inner =
  /panic|goroutine|undefined|internal error|non-concrete|incomplete|empty disjunction|mismatched types|runtime error|Newf|%!|\(type /;

for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith(".txtar"))) {
  const file = join(import.meta.dirname, name);
  const archive = parseTxtar(readFileSync(file, "utf8"));
  test(`${name}: ${archive.comment.split("\n")[0]?.slice(2)}`, async () => {
    const files = new Map([...archive.files].filter(([section]) => section !== told));
    const { code, text } = await complain(files);
    const got = formatTxtar({ comment: archive.comment, files: new Map([...files, [told, text]]) });
    if (process.env["UPDATE"] === "1") writeFileSync(file, got);
    assert.equal(code, 2, text);
    assert.match(text, /^error\[[a-z-]+\]: /, "every error has a code");
    assert.match(text, /--> \S+:\d+:\d+|--> -i \S+/, "some place is told");
    for (const one of text.split(/\n\n(?=error)/)) assert.match(one, /= hint: /, "every error has a next step");
    assert.doesNotMatch(text, inner, "nobody has to know how CUE works inside");
    assert.equal(readFileSync(file, "utf8"), got);
  });
}
