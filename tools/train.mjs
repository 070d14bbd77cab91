// Compiled code of the bundle, for the functions that runs use: dagger runs some configs against a stand-in for a daemon, and V8 keeps what
// it compiled meanwhile. All of the bundle's functions would be three times as much to read at every start.
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("train-child.cjs", import.meta.url));

/** What a run needs most: a chain of steps, files from here, a file that is made. */
const config = `package train

base: #up: [{do: "local", dir: "src"}, {do: "mkdir", path: "/a"}, {do: "write-file", dest: "/a/b", content: "c"}]
app: #up: [{do: "load", from: base}, {do: "exec", args: ["true"], env: {A: "b"}, mount: "/in": {from: base, path: "/a", readonly: true}}]
`;

/** A status with one vertex: its digest, name and inputs do not matter. */
const status = Buffer.from([0, 0, 0, 0, 12, 0x0a, 10, 0x0a, 3, 97, 58, 98, 0x1a, 3, 97, 98, 99]);
const empty = Buffer.alloc(5);

/** Answers every call with nothing, and well: all fields of all messages may be missing. */
function standIn(socket) {
  const open = new Set();
  const server = http2.createServer();
  server.on("session", (session) => open.add(session));
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    const path = String(headers[":path"]);
    if (path.endsWith("/Session")) return;
    stream.end(path.endsWith("/Status") ? status : empty);
  });
  server.listen(socket);
  return () => {
    for (const session of open) session.destroy();
    server.close();
  };
}

/**
 * Writes the compiled code beside the bundle. Whatever a run cannot do, for lack of cue.wasm or on another system, is compiled when it is
 * needed. Throws when V8 does not take back what it gave.
 */
export async function train(launcher) {
  const { filename, load } = createRequire(import.meta.url)(resolve(launcher));
  const kept = `${filename}.code`;
  const dir = mkdtempSync(join(tmpdir(), "train-"));
  const close = standIn(join(dir, "socket"));
  try {
    mkdirSync(join(dir, "src"));
    writeFileSync(join(dir, "train.cue"), config);
    writeFileSync(join(dir, "src/file"), "");
    const env = { PATH: process.env.PATH, HOME: dir, BUILDKIT_HOST: `unix://${join(dir, "socket")}` };
    const run = (...args) =>
      new Promise((done) => {
        // How it ends does not matter: what it has used until then is kept.
        const options = { env, cwd: dir, timeout: 60_000, maxBuffer: 1 << 26 };
        execFile(process.execPath, [child, resolve(launcher), kept, ...args], options, () => done());
      });
    // The second finds the evaluation of the first.
    for (const progress of ["plain", "quiet", "json"]) await run("up", dir, "--progress", progress);
    await run("ops", dir);
    await run("graph", dir, "-t", "misspelt");
    if (load(readFileSync(kept)).cachedDataRejected) throw new Error("V8 refuses the code that it has just compiled");
  } finally {
    close();
    rmSync(dir, { recursive: true });
  }
}
