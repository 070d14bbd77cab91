// The OCI registry that modules come from: manifests, blobs and tags over HTTP, every wait bounded, every blob held against its digest.
import { createHash } from "node:crypto";
import type { Environment } from "../directories.ts";
import { dockerAuth, fetchToken, type RegistryAuth } from "../session/index.ts";
import { damaged, moduleError, shown } from "./failure.ts";
import { cueLogin } from "./logins.ts";
import type { Location, Registries } from "./registries.ts";
import { compareVersions, isVersion, type ModuleVersion, majorOf } from "./version.ts";

/** How long a registry may say nothing, in milliseconds. */
const defaultPatience = 30_000;
/** As CUE has it. */
const maxModuleFile = 16 << 20;
const maxManifest = 4 << 20;
const maxZip = 500 << 20;

const manifestType = "application/vnd.oci.image.manifest.v1+json";
const moduleType = "application/vnd.cue.module.v1+json";
const moduleFileType = "application/vnd.cue.modulefile.v1";

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/** The two blobs of a published module. */
export interface Published {
  readonly zip: Blob;
  readonly moduleFile: Blob;
}

export interface RegistryOptions {
  readonly env: Environment;
  readonly registries: Registries;
  /** Milliseconds without a byte after which a request is given up. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
}

export class RegistryClient {
  readonly #options: RegistryOptions;
  readonly #auth: RegistryAuth;
  /** `authorization` headers that a registry took, by host and repository. */
  readonly #accepted = new Map<string, string>();
  readonly #manifests = new Map<string, Promise<Published>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#auth = dockerAuth(options.env);
  }

  /** Throws UserError: 2 when there is no such version, 3 when the registry cannot be asked. */
  published(module: ModuleVersion): Promise<Published> {
    const key = shown(module);
    let known = this.#manifests.get(key);
    if (known === undefined) {
      known = this.#readManifest(module);
      this.#manifests.set(key, known);
    }
    return known;
  }

  async moduleFile(module: ModuleVersion): Promise<Buffer> {
    return this.#blob(module, (await this.published(module)).moduleFile, maxModuleFile);
  }

  async zip(module: ModuleVersion): Promise<Buffer> {
    return this.#blob(module, (await this.published(module)).zip, maxZip);
  }

  /** All versions of a module, oldest first; of one major version when `major` is given. */
  async versions(path: string, major?: string): Promise<readonly string[]> {
    const location = this.#locate(path);
    const tags: string[] = [];
    let next: string | undefined = `/v2/${location.repository}/tags/list?n=1000`;
    for (let page = 0; next !== undefined && page < 1000; page++) {
      const answer: Answer = await this.#get(location, next, path, "application/json", 16 << 20);
      if (answer.status === 404) return [];
      const { tags: more } = parse(answer.body, path) as { tags?: unknown };
      if (Array.isArray(more)) tags.push(...more.filter((tag) => typeof tag === "string"));
      next = nextPage(answer.headers.get("link"));
    }
    return tags
      .filter((tag) => tag.startsWith(location.tagPrefix))
      .map((tag) => tag.slice(location.tagPrefix.length))
      .filter((version) => isVersion(version) && (major === undefined || majorOf(version) === major))
      .sort(compareVersions);
  }

  #locate(path: string): Location {
    const location = this.#options.registries.locate(path);
    if (location !== undefined) return location;
    throw moduleError(
      2,
      "module-not-found",
      `no registry is configured for the module ${path}`,
      "CUE_REGISTRY says none for it: name a registry there, or vendor the module",
    );
  }

  async #readManifest(module: ModuleVersion): Promise<Published> {
    const location = this.#locate(module.path);
    const { status, body } = await this.#get(
      location,
      `/v2/${location.repository}/manifests/${location.tagPrefix}${module.version}`,
      shown(module),
      manifestType,
      maxManifest,
    );
    if (status === 404) {
      throw moduleError(
        2,
        "module-not-found",
        `the registry ${location.host} has no module ${shown(module)}`,
        `check path and version in cue.mod/module.cue; \`dagger mod get ${module.path}@latest\` takes the newest version`,
      );
    }
    const manifest = parse(body, shown(module)) as { config?: { mediaType?: unknown }; artifactType?: unknown; layers?: unknown };
    const layers = Array.isArray(manifest.layers) ? (manifest.layers as { mediaType?: unknown; digest?: unknown; size?: unknown }[]) : [];
    const isModule = manifest.config?.mediaType === moduleType || manifest.artifactType === moduleType;
    const [zip, file] = layers;
    if (!isModule || layers.length !== 2 || zip === undefined || file?.mediaType !== moduleFileType) {
      throw damaged(module, `what ${location.host} has under this tag is no CUE module`);
    }
    return { zip: blobOf(module, zip), moduleFile: blobOf(module, file) };
  }

  async #blob(module: ModuleVersion, { digest, size }: Blob, max: number): Promise<Buffer> {
    if (size > max) throw damaged(module, `it has ${size} bytes, more than the ${max} that are allowed`);
    const location = this.#locate(module.path);
    const { status, body } = await this.#get(location, `/v2/${location.repository}/blobs/${digest}`, shown(module), "*/*", size);
    if (status === 404) throw damaged(module, `${location.host} has lost its blob ${digest}`);
    const seen = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    if (seen !== digest) throw damaged(module, `${location.host} sent bytes with the digest ${seen} instead of ${digest}`);
    return body;
  }

  /** Asks once without a login, and once more with what the registry wants. */
  async #get(location: Location, url: string, what: string, accept: string, max: number): Promise<Answer> {
    const scope = `${location.host}/${location.repository}`;
    let authorization = this.#accepted.get(scope) ?? (await cueLogin(this.#options.env, location.host, location.insecure, this.#signal()));
    let answer = await this.#request(location, url, what, accept, max, authorization);
    if (answer.status === 401) {
      authorization = await this.#authorize(location, answer.headers.get("www-authenticate") ?? "");
      if (authorization !== undefined) answer = await this.#request(location, url, what, accept, max, authorization);
    }
    if (answer.status === 401 || answer.status === 403) {
      throw moduleError(
        3,
        "module-login",
        `the registry ${location.host} refuses access to ${what}`,
        `log in: docker login ${location.host}, or cue login ${location.host}`,
      );
    }
    if (answer.status >= 400 && answer.status !== 404) throw this.#unreachable(location, what, `it answers with status ${answer.status}`);
    if (authorization !== undefined) this.#accepted.set(scope, authorization);
    return answer;
  }

  async #authorize({ host, repository }: Location, challenge: string): Promise<string | undefined> {
    const credentials = await this.#auth.credentials(host);
    if (/^basic\b/i.test(challenge)) {
      if (credentials === undefined) return undefined;
      return `Basic ${Buffer.from(`${credentials.username}:${credentials.secret}`).toString("base64")}`;
    }
    const fixed = await this.#auth.tokens?.fixed(host);
    if (fixed !== undefined) return `Bearer ${fixed}`;
    const fields = new Map([...challenge.matchAll(/(\w+)="([^"]*)"/g)].map((match) => [match[1] as string, match[2] as string]));
    const realm = fields.get("realm");
    if (!/^bearer\b/i.test(challenge) || realm === undefined) return undefined;
    const scopes = [fields.get("scope") ?? `repository:${repository}:pull`];
    return `Bearer ${(await fetchToken({ host, realm, service: fields.get("service") ?? "", scopes }, credentials)).token}`;
  }

  async #request(
    location: Location,
    url: string,
    what: string,
    accept: string,
    max: number,
    authorization: string | undefined,
  ): Promise<Answer> {
    const patience = this.#options.patience ?? defaultPatience;
    const quiet = new AbortController();
    let timer = setTimeout(() => quiet.abort(), patience);
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), patience);
    };
    try {
      const signal = this.#options.signal === undefined ? quiet.signal : AbortSignal.any([quiet.signal, this.#options.signal]);
      const headers = { accept, ...(authorization !== undefined && { authorization }) };
      const response = await fetch(`${location.insecure ? "http" : "https"}://${location.host}${url}`, { headers, signal });
      const chunks: Uint8Array[] = [];
      let size = 0;
      for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        alive();
        chunks.push(chunk);
        size += chunk.length;
        if (response.ok && size > max) throw new Error(`it sends more than the ${max} bytes that were announced`);
        if (size > Math.max(max, maxManifest)) break;
      }
      return { status: response.status, headers: response.headers, body: Buffer.concat(chunks) };
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      throw this.#unreachable(location, what, quiet.signal.aborted ? `it says nothing for ${patience / 1000} s` : reasonOf(error), error);
    } finally {
      clearTimeout(timer);
    }
  }

  #signal(): AbortSignal {
    const own = AbortSignal.timeout(this.#options.patience ?? defaultPatience);
    return this.#options.signal === undefined ? own : AbortSignal.any([own, this.#options.signal]);
  }

  #unreachable({ host }: Location, what: string, why: string, cause?: unknown): Error {
    return moduleError(
      3,
      "module-registry",
      `Cannot get ${what} from the registry ${host}: ${why}`,
      "check the network and CUE_REGISTRY; modules that were fetched before, or vendored, need no registry",
      cause,
    );
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

function blobOf(module: ModuleVersion, { digest, size }: { digest?: unknown; size?: unknown }): Blob {
  if (
    typeof digest === "string" &&
    /^sha256:[0-9a-f]{64}$/.test(digest) &&
    typeof size === "number" &&
    Number.isSafeInteger(size) &&
    size >= 0
  )
    return { digest, size };
  throw damaged(module, "its manifest names a blob without a sha256 digest and a size");
}

function parse(body: Buffer, what: string): object {
  try {
    const data: unknown = JSON.parse(body.toString("utf8"));
    if (typeof data === "object" && data !== null) return data;
    throw new SyntaxError("it is no object");
  } catch (cause) {
    throw moduleError(
      3,
      "module-registry",
      `Cannot read what the registry says about ${what}: ${(cause as Error).message}`,
      "check that CUE_REGISTRY names a registry, not a web page",
      cause,
    );
  }
}

function nextPage(link: string | null): string | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(link ?? "")?.[1];
  if (target === undefined) return undefined;
  const url = new URL(target, "http://registry.invalid");
  return `${url.pathname}${url.search}`;
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error ? cause.message : String(cause);
}
