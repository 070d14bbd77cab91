// What counts as a sign of life of a download, at a clock of the test's own.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SolveError } from "./errors.ts";
import { type Download, StallWatch } from "./stalls.ts";
import type { StatusUpdate, StatusVertex, VertexProgress } from "./status.ts";

const layer = `sha256:${"0".repeat(64)}`;
const image: Download = { host: "docker.io", counted: true };
const downloads: Readonly<Record<string, Download>> = {
  image,
  other: { host: "other.example", counted: true },
  neighbour: image,
  repository: { host: "git.example", counted: false },
};

class Bench {
  now = 0;
  error: SolveError | undefined;
  readonly watch: StallWatch = new StallWatch(
    { counted: 60_000, uncounted: 300_000 },
    (digest) => downloads[digest],
    (error) => {
      this.error = error;
    },
    () => this.now,
  );

  /** Lets time pass as it does for a process that runs; `each` is called every second. */
  pass(seconds: number, each: () => void = () => undefined): this {
    for (let half = 0; half < seconds * 2; half++) {
      this.now += 500;
      if (half % 2 === 1) each();
      this.watch.look();
    }
    return this;
  }

  see(update: Partial<StatusUpdate>): this {
    this.watch.see({ vertexes: [], statuses: [], logs: [], warnings: [], ...update });
    return this;
  }

  vertex(digest: string, times: Pick<StatusVertex, "started" | "completed">): this {
    return this.see({ vertexes: [{ digest, inputs: [], name: "", cached: false, error: "", ...times }] });
  }

  status(vertex: string, current: number, more: Partial<VertexProgress> = {}): this {
    return this.see({ statuses: [{ id: layer, vertex, name: "", current, total: 2_000_000, time: 0, ...more }] });
  }

  end(): SolveError | undefined {
    this.watch.stop();
    return this.error;
  }
}

test("a layer that stands still ends the build, although the daemon goes on telling of it", () => {
  const bench = new Bench().vertex("image", { started: 1 }).pass(50).status("image", 1_000_000);
  bench.pass(59, () => bench.status("image", 1_000_000));
  assert.equal(bench.error, undefined);
  bench.pass(2, () => bench.status("image", 1_000_000));
  const error = bench.end();
  assert.equal(error?.exit, 1);
  assert.equal(error?.failure.vertex, "image");
  assert.equal(error?.diagnostics[0]?.code, "download-stalled");
  assert.match(error?.message ?? "", /the layer sha256:0+ stopped at 1\.0 of 2\.0 MB: nothing more came from docker\.io for 60 s/);
});

test("a layer that grows slowly, and one that is unpacked for long, are alive", () => {
  const bench = new Bench().vertex("image", { started: 1 });
  let current = 0;
  bench.pass(600, () => bench.status("image", ++current));
  bench.status("image", 2_000_000, { completed: 1 }).status("image", 0, { id: `extracting ${layer}`, total: 0 });
  bench.pass(3600);
  assert.equal(bench.error, undefined);
  bench.status("image", 0, { id: `extracting ${layer}`, completed: 2 }).pass(59);
  assert.equal(bench.error, undefined);
  bench.pass(2);
  assert.match(bench.end()?.message ?? "", /nothing came from docker\.io for 60 s/);
});

test("what waits for another download from the same host is alive, from another host it is not", () => {
  const bench = new Bench().vertex("image", { started: 1 }).vertex("neighbour", { started: 1 });
  let current = 0;
  bench.pass(200, () => bench.status("neighbour", ++current));
  assert.equal(bench.error, undefined);
  bench.vertex("other", { started: 1 }).pass(61, () => bench.status("neighbour", ++current));
  assert.match(bench.end()?.message ?? "", /other\.example/);
});

test("git and HTTP, of which the daemon tells nothing, have more time", () => {
  const bench = new Bench().vertex("repository", { started: 1 }).pass(299);
  assert.equal(bench.error, undefined);
  assert.match(bench.pass(2).end()?.message ?? "", /nothing came from git\.example for 300 s/);
});

test("a process may be silent for ever, also one whose cached result was downloaded before", () => {
  const bench = new Bench().vertex("exec", { started: 1 }).pass(10_000);
  bench.status("exec", 1).vertex("exec", { started: 2 }).pass(10_000);
  assert.equal(bench.end(), undefined);
});

test("a cached result that stops coming ends the build", () => {
  const bench = new Bench().status("exec", 1);
  bench.pass(61, () => bench.status("exec", 1));
  assert.match(bench.end()?.message ?? "", /nothing more came for 60 s/);
});

test("time in which nobody looked is not held against a download", () => {
  const bench = new Bench().vertex("image", { started: 1 }).pass(30);
  bench.now += 3_600_000;
  bench.pass(29);
  assert.equal(bench.error, undefined);
  assert.notEqual(bench.pass(2).end(), undefined);
});

test("a download that has ended is watched no more", () => {
  const bench = new Bench().vertex("image", { started: 1 }).vertex("image", { started: 1, completed: 2 }).pass(1000);
  assert.equal(bench.end(), undefined);
});
