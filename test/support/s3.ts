// Starts a private, real S3 server (versitygw, over a directory) for a test.
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, type ServerProcess, serverDir, startServer } from "./server.ts";

export interface S3Server extends ServerProcess {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Makes a bucket; gives the directory that its objects lie in. */
  bucket(name: string): string;
}

const program = fileURLToPath(new URL("../../dist/bin/versitygw", import.meta.url));

/** Needs what `make s3` builds. Its region is us-east-1. */
export async function startS3(): Promise<S3Server> {
  if (!fs.existsSync(program)) throw new Error(`${program} is missing: run make s3`);
  const dir = serverDir("s3");
  const root = path.join(dir, "root");
  fs.mkdirSync(root);
  const keys = { accessKey: "AKIATESTACCESSKEY", secretKey: "s3cret/Key+with=signs" };
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const login = ["--access", keys.accessKey, "--secret", keys.secretKey];
  const server = await startServer({
    name: "versitygw",
    program,
    args: ["--port", address, ...login, "--health", "/health", "posix", root],
    dir,
    answers: async () => (await fetch(`${url}/health`).catch(() => undefined))?.ok ?? false,
  });
  return {
    ...server,
    url,
    ...keys,
    bucket: (name) => {
      fs.mkdirSync(path.join(root, name));
      return path.join(root, name);
    },
  };
}
