// What names stand for, and what may change meanwhile: a registry, a git server and a web server, beside a bench, for the tests of one file.
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before } from "node:test";
import { type GitServer, startGitServer } from "../support/git-server.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { type Bench, type Outcome, startBench } from "./dagger.ts";

export interface Upstream {
  readonly bench: Bench;
  readonly git: GitServer;
  readonly registry: TestRegistry;
  /** A file on the web server, which answers `page`, whatever it is asked for. */
  readonly url: string;
  page: string;
  /** Runs `bin/dagger`, which must succeed. */
  succeed(...args: readonly string[]): Promise<Outcome>;
}

/** Called once at the top of a test file; its parts are there, and `prepare` is done with them, when the tests run. */
export function upstream(prepare?: (parts: Upstream) => Promise<void>): Upstream {
  let bench: Bench;
  let git: GitServer;
  let registry: TestRegistry;
  let web: Server;
  const parts: Upstream = {
    page: "one",
    get bench() {
      return bench;
    },
    get git() {
      return git;
    },
    get registry() {
      return registry;
    },
    get url() {
      return `http://127.0.0.1:${(web.address() as AddressInfo).port}/file`;
    },
    succeed: async (...args) => {
      const outcome = await bench.dagger(args);
      assert.equal(outcome.code, 0, outcome.stderr);
      return outcome;
    },
  };
  before(async () => {
    [bench, git, registry] = await Promise.all([startBench(), startGitServer(), startRegistry()]);
    web = createServer((_, response) => {
      response.setHeader("ETag", `"${parts.page}"`);
      response.end(parts.page);
    });
    await new Promise<void>((resolve) => web.listen(0, "127.0.0.1", resolve));
    await prepare?.(parts);
  });
  after(async () => {
    web?.close();
    await registry?.stop();
    await git?.stop();
    await bench?.end();
  });
  return parts;
}
