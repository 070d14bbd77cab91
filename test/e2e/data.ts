// A workspace of sources and nodes for tests: beside an upstream, a list of releases with its files, and an S3 server.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after } from "node:test";
import { gitToken } from "../support/git-server.ts";
import { type S3Server, startS3 } from "../support/s3.ts";
import { type Outcome, runDagger } from "./dagger.ts";
import { type Upstream, upstream } from "./upstream.ts";

/** Parts are there when the tests run. */
export interface DataWorld {
  readonly up: Upstream;
  /** Builds that are on offer: number → content. Without any, the list is not there. */
  readonly builds: Map<number, string>;
  /** Address of the list. */
  readonly releases: string;
  readonly s3: S3Server;
  /** Directory of the objects of the bucket `downloads`. */
  readonly bucket: string;
  /** Where commands run. */
  readonly dir: string;
  environment(): Readonly<Record<string, string>>;
  dagger(...args: readonly string[]): Promise<Outcome>;
  /** It must succeed; gives what it prints. */
  good(...args: readonly string[]): Promise<string>;
  /** It must fail with this exit and error code; gives what it tells. */
  bad(exit: number, code: string, ...args: readonly string[]): Promise<string>;
  /** The newest version of a source that is known. */
  latest(name: string): Promise<string>;
}

/** 8 digits of a version. */
export const short = (id: string): string => id.slice(id.indexOf(":") + 1, id.indexOf(":") + 9);

/** Called once at the top of a test file. */
export function dataWorld(): DataWorld {
  const builds = new Map<number, string>();
  let web: Server;
  let s3: S3Server;
  let bucket = "";
  let dir = "";
  const address = (): string => `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
  const up = upstream(async ({ bench }) => {
    web = createServer(({ url = "" }, response) => {
      const content = builds.get(Number(/^\/dmg\/(\d+)$/.exec(url)?.[1]));
      if (url === "/releases.json" && builds.size > 0) response.end(JSON.stringify({ versions: listed(builds, address()) }));
      else if (content === undefined) response.writeHead(404).end();
      else response.setHeader("content-disposition", 'filename="app.dmg"').end(content);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    s3 = await startS3();
    bucket = s3.bucket("downloads");
    dir = join(bench.dir, "pinata");
    mkdirSync(dir);
  });
  after(async () => {
    web?.closeAllConnections();
    web?.close();
    await s3?.stop();
  });
  const world: DataWorld = {
    up,
    builds,
    get releases() {
      return `${address()}/releases.json`;
    },
    get s3() {
      return s3;
    },
    get bucket() {
      return bucket;
    },
    get dir() {
      return dir;
    },
    environment: () => {
      const env = { PATH: process.env["PATH"] ?? "", HOME: up.bench.dir, DAGGER_DATA_DIR: join(up.bench.dir, "data"), NO_COLOR: "1" };
      const keys = { S3_ID: s3.accessKey, S3_KEY: s3.secretKey, GIT_TOKEN: gitToken, ESX_PASS: "hush-hush" };
      return { ...env, ...keys, BUILDKIT_HOST: up.bench.daemon.address };
    },
    dagger: (...args) => runDagger(args, dir, world.environment()),
    good: async (...args) => {
      const { code, stdout, stderr } = await world.dagger(...args);
      assert.equal(code, 0, `dagger ${args.join(" ")}:\n${stderr}`);
      return stdout;
    },
    bad: async (exit, code, ...args) => {
      const { code: found, stderr } = await world.dagger(...args);
      assert.equal(found, exit, stderr);
      assert.ok(stderr.includes(`error[${code}]`), stderr);
      return stderr;
    },
    latest: async (name) => {
      const all = JSON.parse(await world.good("source", "list", "--output", "json")) as readonly {
        readonly name: string;
        readonly latest?: string;
      }[];
      return all.find((one) => one.name === name)?.latest ?? "";
    },
  };
  return world;
}

function listed(builds: ReadonlyMap<number, string>, address: string): readonly object[] {
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  return [...builds].map(([number, text]) => ({ version: number, url: `${address}/dmg/${number}`, md5: md5(text) }));
}
