// A git server over HTTP for tests: git's own http-backend behind a small server on loopback, public and private repositories.
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** What the server asks for below `/private/`: the token `secret`, as basic authentication or as `Bearer secret`. */
export const gitToken = "s3cret-git-token";

export interface GitServer {
  /** `http://127.0.0.1:PORT`; repositories are `/NAME` and `/private/NAME`. */
  readonly url: string;
  readonly port: number;
  /** Directory with the bare repositories. */
  readonly root: string;
  /** Commits files (by path) to a branch of a repository, which is made when it is new, and tags the commit; gives its hash. */
  commit(repository: string, files: Readonly<Record<string, string>>, options?: CommitOptions): Promise<string>;
  /** Runs git in a bare repository; gives what it prints. */
  git(repository: string, ...args: readonly string[]): Promise<string>;
  /** Tags the newest commit of a repository. */
  tag(repository: string, tag: string): Promise<void>;
  /** Authorization headers of the requests so far, "" for none. */
  readonly seen: readonly string[];
  stop(): Promise<void>;
}

export interface CommitOptions {
  readonly tag?: string;
  /** URL of a repository that becomes the submodule `module`. */
  readonly submodule?: string;
}

export async function startGitServer(): Promise<GitServer> {
  const dir = mkdtempSync(join(tmpdir(), "git-server-"));
  const root = join(dir, "served");
  mkdirSync(root);
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(request.headers.authorization ?? "");
    if (request.url?.startsWith("/private/") === true && !isKnown(request.headers.authorization ?? "")) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="private"' }).end();
      return;
    }
    serve(root, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(dir, { recursive: true, force: true });
  };
  const commit: GitServer["commit"] = (repository, files, options) => commitTo(dir, root, repository, files, options ?? {});
  const tag: GitServer["tag"] = async (repository, name) => {
    await git(join(root, repository), "tag", name);
  };
  const inBare: GitServer["git"] = (repository, ...args) => git(join(root, repository), ...args);
  return { url: `http://127.0.0.1:${port}`, port, root, commit, tag, git: inBare, seen, stop };
}

function isKnown(authorization: string): boolean {
  const basic = `basic ${Buffer.from(`x-access-token:${gitToken}`).toString("base64")}`;
  return [basic, `bearer ${gitToken}`].includes(authorization.replace(/^\S+/, (scheme) => scheme.toLowerCase()));
}

/** Never waited for with the event loop stopped: git may ask the server of this process. Git runs as nobody in particular: settings of this machine must not change what a test sees. */
async function git(cwd: string, ...args: readonly string[]): Promise<string> {
  const who = { NAME: "Test", EMAIL: "test@example.com", DATE: "2020-01-02T03:04:05Z" };
  const identity = Object.entries(who).flatMap(([key, value]) =>
    [`GIT_AUTHOR_${key}`, `GIT_COMMITTER_${key}`].map((name) => [name, value]),
  );
  const env = { PATH: process.env["PATH"] ?? "", HOME: cwd, GIT_CONFIG_NOSYSTEM: "1", ...(Object.fromEntries(identity) as object) };
  const { stdout } = await promisify(execFile)("git", args, { cwd, env });
  return stdout.trim();
}

async function commitTo(
  dir: string,
  root: string,
  repository: string,
  files: Readonly<Record<string, string>>,
  options: CommitOptions,
): Promise<string> {
  const work = join(dir, "work", repository);
  const bare = join(root, repository);
  if (!existsSync(work)) {
    mkdirSync(work, { recursive: true });
    mkdirSync(bare, { recursive: true });
    await git(bare, "init", "-q", "--bare", "-b", "main");
    await git(bare, "config", "uploadpack.allowAnySHA1InWant", "true");
    await git(bare, "config", "uploadpack.allowFilter", "true");
    await git(work, "init", "-q", "-b", "main");
    await git(work, "remote", "add", "origin", bare);
  } else {
    // Somebody else may have pushed.
    await git(work, "fetch", "-q", "origin", "main");
    await git(work, "reset", "-q", "--hard", "FETCH_HEAD");
  }
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(work, name)), { recursive: true });
    writeFileSync(join(work, name), content);
  }
  if (options.submodule !== undefined) await git(work, "submodule", "add", "-q", options.submodule, "module");
  await git(work, "add", "-A");
  await git(work, "commit", "-q", "-m", "A commit");
  if (options.tag !== undefined) await git(work, "tag", options.tag);
  await git(work, "push", "-q", "--tags", "origin", "main");
  return git(work, "rev-parse", "HEAD");
}

/** One request as CGI. */
function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://git");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"] ?? "",
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? "GET",
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      // The repositories belong to the test, whoever runs it.
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
    },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.on("error", () => undefined); // it may answer without reading everything
  request.pipe(child.stdin);
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.once("close", () => {
    const output = Buffer.concat(chunks);
    const end = output.indexOf("\r\n\r\n");
    const headers = output.subarray(0, end).toString().split("\r\n");
    const status = headers.find((line) => line.startsWith("Status: "));
    for (const line of headers) {
      const colon = line.indexOf(": ");
      if (colon > 0 && line !== status) response.setHeader(line.slice(0, colon), line.slice(colon + 2));
    }
    response.writeHead(Number(status?.slice(8, 11) ?? 200)).end(output.subarray(end + 4));
  });
}
