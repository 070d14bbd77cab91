// Counts the words of a directory's files on a BuildKit daemon: node solve.ts DIRECTORY OCI-LAYOUT DESTINATION
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { connect, createReceiver, services, UserError } from "cuellb/client";
import { bind, local, marshal, mkdir, ociLayout, scratch, secret } from "cuellb/llb";

const [directory = ".", layout = "layout", destination = "words"] = process.argv.slice(2);

// 1. The graph: an image of an OCI layout, a directory of ours, a secret, one command.
const index = JSON.parse(await readFile(join(layout, "index.json"), "utf8")) as { manifests: { digest: string }[] };
const base = ociLayout(`base/image@${index.manifests[0]?.digest}`, { store: "base" }).env("PATH", "/bin");
const files = local("files", { include: ["**/*.txt"] });
const count = base.run(
  ["sh", "-c", 'cd /files && wc -w $(find . -name "*.txt" | sort) > /result/out/words && cat /run/motto >> /result/out/words'],
  {
    name: "count words",
    mounts: [
      bind("/files", files, { readonly: true }),
      bind("/result", scratch().file(mkdir("/out"))),
      secret("/run/motto", { id: "motto" }),
    ],
  },
);

/** 2. A daemon, and what it may ask us for. */
async function run(signal: AbortSignal): Promise<void> {
  const client = await connect(process.env["BUILDKIT_HOST"] ?? "unix:///run/buildkit/buildkitd.sock", { signal });
  const receiver = createReceiver({ memory: [], dirs: [{ prefix: "out", dest: resolve(destination) }] });
  try {
    const [worker] = await client.listWorkers();
    const definition = await marshal(count.mount("/result"), {
      platform: worker?.platforms[0] ?? "linux/amd64",
      localUniqueId: randomUUID(),
    });
    const build = await client.build({
      session: services({ locals: { files: directory }, layouts: { base: layout }, secrets: { motto: "counted by BuildKit\n" }, receiver }),
      exporters: [{ type: "local", attrs: {} }],
      record: true,
      signal,
      onStatus: ({ logs }) => {
        for (const { data } of logs) process.stderr.write(data);
      },
    });
    // 3. One Control.Solve; then what came back is put in place, all or nothing.
    await build.finish(definition.encoded);
    for (const saved of await receiver.commit()) process.stdout.write(`${saved.files} file in ${saved.dest}\n`);
  } finally {
    // Nothing is left of it unless it was committed.
    receiver.rollback();
    client.close();
  }
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
try {
  await run(stop.signal);
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  for (const { message, hint } of error.diagnostics) process.stderr.write(`${message}${hint === undefined ? "" : `\n  ${hint}`}\n`);
  process.exitCode = error.exit;
}
