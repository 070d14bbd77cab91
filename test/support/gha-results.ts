// GitHub's cache protocol, version 2, for a test: a front that keeps the keys (Twirp with JSON) before a real Azure Blob Storage that keeps the data.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { startAzurite } from "./azurite.ts";
import { actionsToken } from "./gha.ts";
import { type SignedBlobs, signedBlobs } from "./signed-blobs.ts";

export interface ActionsResults {
  /** As ACTIONS_RESULTS_URL has it. */
  readonly url: string;
  /** The only token that may write here. */
  readonly token: string;
  /** May read only, as tokens of pull requests from forks do. */
  readonly readToken: string;
  /** Which methods were called, in order. */
  readonly calls: readonly string[];
  /** Keeps connections and says nothing: the front (`keys`), or the store of the data. */
  freeze(part: "keys" | "blobs"): void;
  thaw(): void;
  /** The address to read the next entry from has run out by the time it is given. */
  expireNext(): void;
  stop(): Promise<void>;
}

/** What the protocol's messages have. Sizes are numbers from BuildKit, and texts from clients that write 64 bits as protobuf's JSON does. */
interface Message {
  readonly key?: string;
  readonly version?: string;
  readonly restore_keys?: readonly string[];
  readonly size_bytes?: number | string;
}

interface Entry {
  readonly key: string;
  readonly version: string;
  readonly blob: string;
  /** Data that is not there whole is not given. */
  complete: boolean;
}

class TwirpError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const service = "/twirp/github.actions.results.api.v1.CacheService/";

/** The keys of one repository, in the order in which they were reserved. */
class Entries {
  readonly #entries: Entry[] = [];
  readonly #blobs: SignedBlobs;
  expired = false;

  constructor(blobs: SignedBlobs) {
    this.#blobs = blobs;
  }

  async answer(method: string, message: Message): Promise<object> {
    const { key = "", version = "" } = message;
    if (key === "" || version === "") throw new TwirpError(400, "invalid_argument", "key and version are required");
    const found = this.#entries.find((entry) => entry.key === key && entry.version === version);
    switch (method) {
      case "CreateCacheEntry": {
        if (found !== undefined)
          throw new TwirpError(409, "already_exists", "cache entry with the same key, version, and scope already exists");
        const entry = { key, version, blob: `entry-${this.#entries.length + 1}`, complete: false };
        this.#entries.push(entry);
        return { ok: true, signed_upload_url: this.#blobs.sign(entry.blob, "cw") };
      }
      case "FinalizeCacheEntryUpload": {
        if (found === undefined) throw new TwirpError(404, "not_found", "cache entry not found");
        const stored = await fetch(this.#blobs.sign(found.blob, "r"), { method: "HEAD" });
        if (stored.headers.get("content-length") !== String(message.size_bytes))
          throw new TwirpError(400, "invalid_argument", "the size differs");
        found.complete = true;
        return { ok: true, entry_id: String(this.#entries.indexOf(found) + 1) };
      }
      case "GetCacheEntryDownloadURL":
        return this.#download(message.restore_keys ?? [], version, found);
      default:
        throw new TwirpError(404, "bad_route", `no handler for ${method}`);
    }
  }

  /** The very key, or else the newest one that begins with one of the others. */
  #download(prefixes: readonly string[], version: string, found: Entry | undefined): object {
    const fits = (prefix: string): Entry | undefined =>
      this.#entries.findLast((entry) => entry.complete && entry.version === version && entry.key.startsWith(prefix));
    const best = found?.complete === true ? found : prefixes.map(fits).find((entry) => entry !== undefined);
    if (best === undefined) return { ok: false, signed_download_url: "", matched_key: "" };
    const expired = this.expired;
    this.expired = false;
    return { ok: true, signed_download_url: this.#blobs.sign(best.blob, "r", expired), matched_key: best.key };
  }
}

/** Needs what `make azurite` installs. */
export async function startActionsResults(): Promise<ActionsResults> {
  const azurite = await startAzurite();
  const blobs = signedBlobs(azurite, "actions-cache");
  await blobs.prepare();
  const entries = new Entries(blobs);
  const [token, readToken] = [actionsToken(), actionsToken({ permission: 1 })];
  const calls: string[] = [];
  let thawed = Promise.resolve();
  let release = (): void => undefined;

  async function answer(request: http.IncomingMessage): Promise<object> {
    const method = request.url?.startsWith(service) === true ? request.url.slice(service.length) : "";
    const message = JSON.parse(await text(request)) as Message;
    calls.push(method);
    await thawed;
    const given = request.headers.authorization;
    if (given !== `Bearer ${token}` && given !== `Bearer ${readToken}`)
      throw new TwirpError(401, "unauthenticated", "the token is not valid");
    const reads = method === "GetCacheEntryDownloadURL";
    if (given !== `Bearer ${token}` && !reads) throw new TwirpError(403, "permission_denied", "the token may not write");
    return entries.answer(method, message);
  }

  const server = http.createServer((request, response) => {
    const send = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    answer(request).then(
      (body) => send(200, body),
      (error: unknown) =>
        error instanceof TwirpError
          ? send(error.status, { code: error.code, msg: error.message })
          : send(500, { code: "internal", msg: String(error) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const thaw = (): void => {
    release();
    azurite.thaw();
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    token,
    readToken,
    calls,
    freeze: (part) => {
      if (part === "blobs") azurite.freeze();
      else thawed = new Promise((resolve) => (release = resolve));
    },
    thaw,
    expireNext: () => {
      entries.expired = true;
    },
    stop: async () => {
      thaw();
      server.closeAllConnections();
      server.close();
      await azurite.stop();
    },
  };
}
