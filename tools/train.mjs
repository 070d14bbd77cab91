// Compiled code of the bundle, for the functions that runs use: dagger runs some configs against a stand-in for a daemon, and V8 keeps what
// it compiled meanwhile. All of the bundle's functions would be three times as much to read at every start.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { imageConfig, standIn } from "./stand-in.mjs";

const child = fileURLToPath(new URL("train-child.cjs", import.meta.url));

const kept = "example.org/kept:1";

/** What a run needs most: an image, a chain of steps, files from here, a file that is made. */
const config = (image) => `package train

base: #up: [{do: "local", dir: "src"}, {do: "mkdir", path: "/a"}, {do: "write-file", dest: "/a/b", content: "c"}]
app: #up: [
	{do: "fetch-container", ref: "${image}"},
	{do: "exec", args: ["true"], env: {A: "b"}, mount: "/in": {from: base, path: "/a", readonly: true}},
]
`;

/** An image of nothing, as an OCI layout. */
function writeImage(dir) {
  mkdirSync(join(dir, "blobs/sha256"), { recursive: true });
  const put = (mediaType, document) => {
    const data = JSON.stringify(document);
    const digest = createHash("sha256").update(data).digest("hex");
    writeFileSync(join(dir, "blobs/sha256", digest), data);
    return { mediaType, digest: `sha256:${digest}`, size: data.length };
  };
  const type = (name) => `application/vnd.oci.image.${name}+json`;
  const manifest = { schemaVersion: 2, mediaType: type("manifest.v1"), config: put(type("config.v1"), imageConfig), layers: [] };
  writeFileSync(join(dir, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(dir, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [put(type("manifest.v1"), manifest)] }));
}

/** Everything that we ask a daemon for. */
const capabilities = [...readFileSync("compiler/llb/caps.ts", "utf8").matchAll(/: "([\w.]+)"/g)].map(([, id]) => id);

/**
 * Writes the compiled code beside the bundle. Whatever a run cannot do, for lack of cue.wasm or on another system, is compiled when it is
 * needed. Throws when V8 does not take back what it gave.
 */
export async function train(launcher) {
  const { load } = createRequire(import.meta.url)(resolve(launcher));
  const made = dirname(resolve(launcher));
  const dir = mkdtempSync(join(tmpdir(), "train-"));
  try {
    for (const [name, image] of Object.entries({ local: kept, remote: "example.org/other:1", "recorded/local": kept })) {
      mkdirSync(join(dir, name, "src"), { recursive: true });
      writeFileSync(join(dir, name, "src/file"), "");
      writeFileSync(join(dir, name, "train.cue"), config(image));
    }
    writeImage(join(dir, "image"));
    const env = { PATH: process.env.PATH, HOME: dir, BUILDKIT_HOST: `unix://${join(dir, "socket")}` };
    const runWith = async (kept, ...args) => {
      const close = standIn(join(dir, "socket"), capabilities);
      // How it ends does not matter: what it has used until then is kept.
      const options = { env, cwd: dir, timeout: 60_000, maxBuffer: 1 << 26 };
      const done = (ended) => (error, _, stderr) =>
        ended(process.env.TRAIN_SHOWS ? console.error(args.join(" "), error?.code ?? 0, stderr) : undefined);
      await new Promise((ended) => execFile(process.execPath, [child, resolve(launcher), kept, ...args], options, done(ended)));
      close();
    };
    const run = (...args) => runWith(made, ...args);
    const untrained = join(dir, "untrained");
    mkdirSync(untrained);
    await runWith(untrained, "image", "import", kept, "image");
    // The second finds the evaluation of the first.
    for (const progress of ["plain", "quiet"]) for (const name of ["local", "remote"]) await run("up", name, "--progress", progress);
    // In a workspace, where runs are remembered; only the first makes a store.
    await runWith(untrained, "init", "recorded");
    await runWith(untrained, "up", "recorded/local");
    for (const _ of [1, 2]) await run("up", "recorded/local");
    for (const name of readdirSync(made).filter((name) => name.endsWith(".code"))) {
      const { cachedDataRejected } = load(join(made, name.replace(/[.]code$/, "")));
      if (cachedDataRejected) throw new Error("V8 refuses the code that it has just compiled");
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
}
