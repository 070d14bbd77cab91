// Versions of S3 buckets: a digest over names, sizes and tags of their objects; and objects read and written.
import { hash } from "node:crypto";
import { httpRequest, readBody } from "../../../runtime/http.ts";
import { type Connector, readConnectors } from "../../connectors/connector.ts";
import { type S3Keys, s3Url, signed } from "../../connectors/s3-request.ts";
import { resolveReference } from "../../secrets/sources.ts";
import type { Source } from "../source.ts";
import type { Answer, AskScope } from "../versions.ts";
import { gone, unreachable } from "./errors.ts";

export interface S3Object {
  /** In the bucket. */
  readonly key: string;
  /** Below the source's path. */
  readonly path: string;
  readonly etag: string;
  readonly size: number;
}

/** A bucket, as one source sees it. */
export interface Bucket {
  /** By key. Throws UserError: 2 `source-gone`, 3 `source-unreachable`. */
  list(): Promise<readonly S3Object[]>;
  /** Undefined when it is not what it was when it was listed. */
  get(object: S3Object): Promise<Uint8Array | undefined>;
  /** `path` is below the source's; `before` is the tag that the object has to have, "" where there has to be none. False when that is not so. */
  put(path: string, body: Uint8Array, before?: string): Promise<boolean>;
}

export async function askS3(source: Source, scope: AskScope): Promise<Answer> {
  const objects = await (await openBucket(source, scope)).list();
  const current = { id: digestOf(objects), detail: { url: `s3://${source.location}${source.path ?? ""}`, objects: `${objects.length}` } };
  return { current, all: [current] };
}

export function digestOf(objects: readonly S3Object[]): string {
  return `sha256:${hash("sha256", JSON.stringify(objects.map(({ path, etag, size }) => [path, etag, size])))}`;
}

/** With the credentials of the connector that fits. */
export async function openBucket(source: Source, scope: AskScope): Promise<Bucket> {
  const connector = await s3Connector(source, scope);
  const { region = "us-east-1", ca } = connector?.fields ?? {};
  const { endpoint = `https://s3.${region}.amazonaws.com` } = connector?.fields ?? {};
  const keys = connector === undefined ? undefined : await keysOf(connector, scope);
  const prefix = source.path === undefined ? "" : `${source.path.slice(1)}/`;
  const send = async (method: "GET" | "PUT", url: URL, more: Readonly<Record<string, string>> = {}, body?: Uint8Array): Promise<Reply> => {
    const headers = keys === undefined ? {} : signed({ method, url, region, ...(body === undefined ? {} : { body }) }, keys, new Date());
    const given = { method, headers: { ...headers, ...more }, signal: scope.signal, redirects: false };
    try {
      const answer = await httpRequest(
        url,
        { ...given, ...(body === undefined ? {} : { body }), ...(ca === undefined ? {} : { tls: { ca } }) },
        scope.env,
      );
      return { status: answer.status, body: await readBody(answer.body, Number.MAX_SAFE_INTEGER) };
    } catch (error) {
      scope.signal.throwIfAborted();
      throw unreachable(source.name, `${url.host}: ${(error as Error).message}`, error);
    }
  };
  const check = ({ status, body }: Reply, what: string): Buffer => {
    if (status === 200) return body;
    const code = /<Code>([^<]*)<\/Code>/.exec(body.toString("utf8"))?.[1] ?? `status ${status}`;
    if (status === 404) throw gone(source.name, `there is no bucket ${source.location} at ${new URL(endpoint).host} (${code})`);
    throw unreachable(source.name, `${what} is refused: ${code}`);
  };
  return {
    list: async () => {
      const found: S3Object[] = [];
      for (let token: string | undefined = ""; token !== undefined; ) {
        const url = s3Url(endpoint, source.location);
        url.search = new URLSearchParams({
          "list-type": "2",
          ...(prefix === "" ? {} : { prefix }),
          ...(token === "" ? {} : { "continuation-token": token }),
        })
          .toString()
          .replaceAll("+", "%20");
        const page = check(await send("GET", url), "listing it").toString("utf8");
        found.push(...parsePage(page, prefix));
        token = unescaped(/<NextContinuationToken>([^<]*)</.exec(page)?.[1]);
      }
      return found.sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    get: async (object) => {
      const reply = await send("GET", s3Url(endpoint, source.location, object.key), { "if-match": object.etag });
      return reply.status === 412 || reply.status === 404 ? undefined : check(reply, `reading ${object.key}`);
    },
    put: async (path, body, before) => {
      const condition: Readonly<Record<string, string>> =
        before === undefined ? {} : before === "" ? { "if-none-match": "*" } : { "if-match": before };
      const reply = await send("PUT", s3Url(endpoint, source.location, `${prefix}${path}`), condition, body);
      // Of an object that is gone there is nothing to match; 409: somebody else writes it at this moment.
      if (before !== undefined && (reply.status === 412 || reply.status === 409 || /<Code>NoSuchKey</.test(reply.body.toString("utf8"))))
        return false;
      check(reply, `writing ${path}`);
      return true;
    },
  };
}

interface Reply {
  readonly status: number;
  readonly body: Buffer;
}

/** The one that is named, else the one for this bucket, else the only one that is for any. */
async function s3Connector({ name, location, connector }: Source, { workspace, cwd }: AskScope): Promise<Connector | undefined> {
  const all = (await readConnectors(workspace, cwd)).filter(({ type }) => type === "s3");
  if (connector !== undefined) {
    const named = all.find((one) => one.name === connector);
    if (named === undefined) throw gone(name, `there is no connector ${connector} of type s3`, "See `dagger connector list`");
    return named;
  }
  const general = all.filter(({ fields }) => fields["bucket"] === undefined);
  return all.find(({ fields }) => fields["bucket"] === location) ?? (general.length === 1 ? general[0] : undefined);
}

async function keysOf({ name, secrets }: Connector, scope: AskScope): Promise<S3Keys> {
  const root = scope.workspace.root;
  const read = async (secret: string): Promise<string> => {
    if (!Object.hasOwn(secrets, secret)) return "";
    const value = await resolveReference(`connector:${name}.${secret}`, { ...scope, cwd: root, root });
    return Buffer.from(value ?? "")
      .toString("utf8")
      .trim();
  };
  return { id: await read("accessKey"), key: await read("secretKey"), token: await read("sessionToken") };
}

function parsePage(page: string, prefix: string): S3Object[] {
  return [...page.matchAll(/<Contents>(.*?)<\/Contents>/gs)].flatMap(([, entry = ""]) => {
    const text = (tag: string): string => unescaped(new RegExp(`<${tag}>([^<]*)</${tag}>`).exec(entry)?.[1]) ?? "";
    const key = text("Key");
    // What ends with a slash stands for a directory and has nothing in it.
    return key.endsWith("/") ? [] : [{ key, path: key.slice(prefix.length), etag: text("ETag"), size: Number(text("Size")) }];
  });
}

const marks: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function unescaped(text: string | undefined): string | undefined {
  return text?.replace(/&(?:#(\d+)|#x([0-9a-fA-F]+)|(\w+));/g, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return marks[name] ?? whole;
    return String.fromCodePoint(decimal === undefined ? Number.parseInt(hex ?? "0", 16) : Number(decimal));
  });
}
