// The gateway of a build on a real buildkitd: looking into results, resolving, and processes in containers that are talked to.
import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { UserError } from "../../compiler/diagnostic.ts";
import { Definition, OpMetadata } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { startBuildkitd } from "../../test/support/buildkitd.ts";
import { failureOf } from "../../test/support/failures.ts";
import { sessionServices } from "../../test/support/jobs.ts";
import { definition, file, mkdir, mkfile, type Node, shell, source } from "../../test/support/llb.ts";
import { solving } from "../../test/support/solving.ts";
import { type Build, type BuildOptions, type Client, type Container, connect, type Process, SolveError } from "./index.ts";

const on = solving();

function open(more: Partial<BuildOptions> = {}, through: Client = on.client): Promise<Build> {
  const session = sessionServices(on.layout, { secrets: async (id) => (id === "token" ? Buffer.from("hush") : undefined) });
  return through.build({ session, exporters: [], record: false, onStatus: () => {}, ...more });
}

async function using<T>(work: (build: Build) => Promise<T>, more: Partial<BuildOptions> = {}): Promise<T> {
  const build = await open(more);
  try {
    return await work(build);
  } finally {
    await build.abort();
  }
}

/** A container of the busybox image, and what it needs to run something. */
function container(build: Build, result: string): Promise<Container> {
  return build.gateway((gateway) =>
    gateway.container({ mounts: [{ kind: "bind", dest: "/", result }], network: "none", hostname: "inside" }),
  );
}

/** A frontend takes no Definition without metadata. */
function withMetadata(node: Node): Uint8Array {
  const plain = Definition.decode(definition(node));
  return Definition.encode({ ...plain, metadata: { [node.digest]: OpMetadata.fromPartial({}) } }).finish();
}

const plain = { env: ["PATH=/bin", "TERM=dumb"], cwd: "/", user: "", tty: false };

async function text(from: AsyncIterable<unknown>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of from) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString("utf8");
}

/** Waits until the process has written `pattern`; gives all it wrote until then. */
function until(process: Process, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = "";
    const onData = (chunk: Buffer): void => {
      seen += chunk.toString("utf8");
      if (!pattern.test(seen)) return;
      process.stdout.off("data", onData);
      resolve(seen);
    };
    process.stdout.on("data", onData).once("end", () => reject(new Error(`ended without ${pattern}: ${seen}`)));
  });
}

test("files of a result are read whole, in ranges, by pattern, and are described", () =>
  using(async (build) => {
    const big = Buffer.alloc(9 << 20, "0123456789");
    const tree = file(undefined, [mkfile("/big", big), mkdir("/d"), mkfile("/d/a.txt", "a", 0o600), mkfile("/d/b.md", "bb")]);
    const ref = await build.solve(definition(tree));
    assert.ok((await build.readFile(ref, "/big")).equals(big));
    assert.equal((await build.readFile(ref, "/big", { offset: 3, length: 4 })).toString(), "3456");
    assert.ok((await build.readFile(ref, "/big", { offset: 5, length: (8 << 20) + 7 })).equals(big.subarray(5, (8 << 20) + 12)));
    assert.equal((await build.readFile(ref, "/big", { offset: big.length - 2 })).toString(), "23");
    assert.equal((await build.readFile(ref, "/big", { length: 0 })).length, 0);
    assert.deepEqual(
      (await build.readDir(ref, "/d", "*.txt")).map(({ name, mode, size, uid }) => [name, mode, size, uid]),
      [["a.txt", 0o600, 1, 0]],
    );
    const stat = await build.gateway((gateway) => gateway.stat(ref, "/d/b.md"));
    assert.equal(stat.size, 2);
    const missing = await failureOf(build.gateway((gateway) => gateway.stat(ref, "/none")));
    assert.match(missing.message, /no such file/);
    assert.match((await failureOf(build.readDir(ref, "/d/a.txt"))).message, /not a directory/);
  }));

test("a lazy result is computed when it is evaluated, and only then fails", () =>
  using(async (build) => {
    const broken = definition(shell(on.image, "exit 5"));
    const ref = await build.gateway((gateway) => gateway.solve(broken, { lazy: true }));
    const error = await failureOf(build.gateway((gateway) => gateway.evaluate(ref)));
    assert.ok(error instanceof SolveError);
    assert.equal(error.failure.exitCode, 5);
    await build.gateway((gateway) => gateway.evaluate({ id: "" }));
  }));

test("ping tells the capabilities of graphs and of the gateway", () =>
  using(async (build) => {
    const { llb, frontend } = await build.gateway((gateway) => gateway.ping());
    assert.ok(llb.has("mergeop") && llb.has("source.image"));
    assert.ok(frontend.has("gateway.exec.filesystem") && frontend.has("source.metaresolver"), [...frontend].join(" "));
  }));

test("a URL is resolved to its checksum without being fetched into a result", async () => {
  const server = http.createServer((_, response) => response.end("content"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file.txt`;
    await using(async (build) => {
      const meta = await build.gateway((gateway) => gateway.resolveSourceMeta({ identifier: url }));
      assert.equal(meta.identifier, url);
      assert.equal(meta.http?.filename, "file.txt");
      assert.match(meta.http?.checksum ?? "", /^sha256:ed7002b439e9ac845f22357d822bac14/);
      const wrong = await failureOf(build.gateway((gateway) => gateway.resolveSourceMeta({ identifier: "http://127.0.0.1:1/x" })));
      assert.match(wrong.message, /connection refused/);
    });
  } finally {
    server.close();
  }
});

test("warnings come back in the status stream", async () => {
  const warnings: string[] = [];
  const node = file(undefined, [mkfile("/x", "x")]);
  const build = await open({
    onStatus: (update) => warnings.push(...update.warnings.map(({ short, detail, url }) => [short, ...detail, url].join("|"))),
  });
  await build.solve(definition(node));
  await build.gateway((gateway) => gateway.warn({ vertex: node.digest, short: "look", detail: ["here"], url: "https://example.com" }));
  await build.finish(definition(node));
  assert.deepEqual(warnings, ["look|here|https://example.com"]);
});

test("the Dockerfile frontend gives the Definition and image config of a Dockerfile", () =>
  using(async (build) => {
    const dockerfile = file(undefined, [mkfile("/Dockerfile", "FROM scratch\nCOPY Dockerfile /copied\nENV A=b\n")]);
    const input = withMetadata(dockerfile);
    const inputs = { dockerfile: input, context: input };
    const { refs, metadata } = await build.gateway((gateway) => gateway.solveFrontend({ frontend: "dockerfile.v0", options: {}, inputs }));
    const result = refs.get("");
    assert.ok(result !== undefined && result.definition.length > 0);
    assert.match((await build.readFile(result, "/copied")).toString(), /^FROM scratch/);
    assert.match(Buffer.from(metadata["containerimage.config"] ?? []).toString(), /"A=b"/);
    const wrong = { ...inputs, dockerfile: withMetadata(file(undefined, [mkfile("/Dockerfile", "FORM scratch\n")])) };
    const error = await failureOf(
      build.gateway((gateway) => gateway.solveFrontend({ frontend: "dockerfile.v0", options: {}, inputs: wrong })),
    );
    assert.match(error.message, /unknown instruction: FORM/);
  }));

test("a process gets input and gives output, errors and its exit code", () =>
  using(async (build) => {
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const process = box.start({ ...plain, args: ["sh", "-c", "cat; echo wrong >&2; hostname; exit 42"] });
    process.stdin.end("grüezi\n");
    const [out, errors, exit] = await Promise.all([text(process.stdout), text(process.stderr), process.ended]);
    assert.equal(out, "grüezi\ninside\n");
    assert.equal(errors, "wrong\n");
    assert.deepEqual(exit, { code: 42 });
    await box.release();
  }));

test("megabytes flow both ways through a process at the pace of its reader", () =>
  using(async (build) => {
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const process = box.start({ ...plain, args: ["cat"] });
    const data = Buffer.alloc(40 << 20, "some text to copy\n");
    let taken = 0;
    process.stdin.write(data, () => {
      taken = 1;
    });
    process.stdin.end();
    const received: Buffer[] = [];
    let size = 0;
    for await (const piece of process.stdout) {
      if (size < 1 << 20) assert.equal(taken, 0, "the input was taken before anybody read");
      received.push(piece as Buffer);
      size += (piece as Buffer).length;
    }
    assert.ok(Buffer.concat(received).equals(data));
    assert.deepEqual(await process.ended, { code: 0 });
  }));

test("a terminal has a size that can change, echoes, and its Ctrl-C interrupts", () =>
  using(async (build) => {
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const script = `sized() { until [ "$(stty size)" = "$1" ]; do sleep 0.05; done; echo sized $1; }
      sized "23 91"; sized "12 50"; read line; echo "got $line"
      trap 'echo stopped; exit 7' INT; echo waiting; while :; do sleep 0.05; done`;
    const init = box.start({ ...plain, tty: true, args: ["sh", "-c", script] });
    init.resize({ columns: 91, rows: 23 });
    await until(init, /sized 23 91\r\n/);
    init.resize({ columns: 50, rows: 12 });
    await until(init, /sized 12 50\r\n/);
    init.stdin.write("typed\n");
    assert.match(await until(init, /waiting/), /typed\r\ngot typed\r\n/);
    init.stdin.write("\x03");
    await until(init, /\^Cstopped/);
    init.stdout.resume();
    assert.equal((await init.ended).code, 7);
  }));

test("signals reach a process, and others run beside it and see its files", () =>
  using(async (build) => {
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const init = box.start({
      ...plain,
      args: ["sh", "-c", "trap 'exit 9' TERM; echo ready > /made; echo up; while :; do sleep 0.1; done"],
    });
    await until(init, /up/);
    const beside = box.start({ ...plain, args: ["cat", "/made"] });
    assert.equal(await text(beside.stdout), "ready\n");
    assert.equal((await box.files.readFile("/made")).toString(), "ready\n");
    assert.ok((await box.files.readDir("/", "mad*")).some(({ name }) => name === "made"));
    init.signal("TERM");
    init.stdout.resume();
    assert.equal((await init.ended).code, 9);
  }));

test("secrets reach a container as files and environment, and caches keep what is written", () =>
  using(async (build) => {
    const result = (await build.solve(definition(on.image))).id;
    const run = async (script: string): Promise<string> => {
      const box = await build.gateway((gateway) =>
        gateway.container({
          mounts: [
            { kind: "bind", dest: "/", result },
            { kind: "cache", dest: "/cache", id: "kept", sharing: "shared", result: "" },
            { kind: "tmpfs", dest: "/scratch" },
            { kind: "secret", dest: "/secret", id: "token", uid: 0, gid: 0, mode: 0o400, optional: false },
          ],
          network: "none",
        }),
      );
      const secretEnv = [{ id: "token", name: "TOKEN", optional: false }];
      const process = box.start({ ...plain, secretEnv, args: ["sh", "-ec", script] });
      const out = await text(process.stdout);
      assert.deepEqual(await process.ended, { code: 0 });
      await box.release();
      return out;
    };
    assert.equal(await run("cat /secret; echo $TOKEN; echo one > /cache/x; echo two > /scratch/y; echo three > /root/z"), "hushhush\n");
    assert.equal(await run("cat /cache/x; ls /scratch /root"), "one\n/root:\n\n/scratch:\n");
  }));

test("a process that cannot have a secret is refused at once; an optional one may be absent", (t) => {
  let asked = 0;
  const session = {
    sharedKey: "test",
    name: "test",
    locals: new Map(),
    secrets: async (id: string) => {
      asked++;
      if (id !== "vanished") return undefined;
      throw new UserError(2, [{ code: "secret-file-not-found", message: "Cannot read the file of the secret", at: [] }]);
    },
    layouts: new Map([["busybox", on.layout.dir]]),
  };
  return using(
    async (build) => {
      const result = (await build.solve(definition(on.image))).id;
      const script = "echo [$TOKEN]";
      const start = async (id: string, optional: boolean): Promise<string> => {
        const box = await container(build, result);
        const process = box.start({ ...plain, secretEnv: [{ id, name: "TOKEN", optional }], args: ["sh", "-ec", script] });
        try {
          const shown = await text(process.stdout);
          await process.ended;
          return shown;
        } finally {
          await box.release();
        }
      };
      // Nobody waits for the time after which every silent process is given up.
      t.mock.timers.enable({ apis: ["setTimeout"] });
      const vanished = await failureOf(build.gateway(() => start("vanished", false)));
      assert.deepEqual([vanished.exit, vanished.diagnostics[0]?.code], [2, "secret-file-not-found"]);
      await assert.rejects(start("absent", false), /secret absent: not found/);
      assert.equal(await start("absent", true), "[]\n");
      assert.equal(asked, 3);
    },
    { session },
  );
});

test("a program that is not there is an error that names it", () =>
  using(async (build) => {
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const process = box.start({ ...plain, args: ["/no/such"] });
    // The container runtime itself complains, on the stderr of the process.
    assert.match(await text(process.stderr), /no\/such.*no such file/);
    assert.notEqual((await process.ended).code, 0);
    await box.release();
  }));

test("the mounts of a failed exec can be looked at as it left them", () =>
  using(async (build) => {
    const error = await failureOf(build.solve(definition(shell(on.image, "echo half > /work/result; exit 3"))));
    assert.ok(error instanceof SolveError);
    assert.equal(error.failure.exitCode, 3);
    const failed = error.failure.exec;
    assert.ok(failed !== undefined);
    assert.deepEqual(failed.process.args, ["/bin/sh", "-c", "echo half > /work/result; exit 3"]);
    const box = await build.gateway((gateway) => gateway.container(failed.container));
    const process = box.start({ ...failed.process, args: ["cat", "/work/result"] });
    assert.equal(await text(process.stdout), "half\n");
    assert.deepEqual(await process.ended, { code: 0 });
  }));

test("a process ends with its build, and with a connection that breaks", async () => {
  const own = await startBuildkitd();
  const through = await connect(own.address);
  try {
    const build = await open({}, through);
    const box = await container(build, (await build.solve(definition(on.image))).id);
    const canceled = box.start({ ...plain, args: ["sh", "-c", "echo up; sleep 1000"] });
    await until(canceled, /up/);
    await build.abort();
    await assert.rejects(canceled.ended, /canceled/);

    const second = await open({}, through);
    const again = await container(second, (await second.solve(definition(on.image))).id);
    const cut = again.start({ ...plain, args: ["sh", "-c", "echo up; sleep 1000"] });
    await until(cut, /up/);
    await own.kill();
    await assert.rejects(cut.ended, (error) => error instanceof UserError && error.diagnostics[0]?.code === "connection-lost");
    await second.abort();
  } finally {
    through.close();
    await own.stop();
  }
});

test("URLs that are no sources are refused", () =>
  using(async (build) => {
    const refused = await failureOf(build.solve(definition(source("nonsense://x"))));
    assert.match(refused.message, /nonsense/);
    assert.ok(fs.existsSync(on.layout.dir));
  }));
