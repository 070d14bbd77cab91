// The OCI registry that modules come from: manifests, blobs and tags over HTTP, every blob held against its digest.
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import type { Environment } from "../directories.ts";
import { readBody } from "../http.ts";
import { dockerAuth, fetchToken, type RegistryAuth } from "../session/index.ts";
import { damaged, moduleError, shown } from "./failure.ts";
import { cueLogin } from "./logins.ts";
import type { Location, Place, Registries } from "./registries.ts";
import { type Arriving, BrokenOff, type RegistryWait, Transfers } from "./transfer.ts";
import { compareVersions, isVersion, type ModuleVersion, majorOf } from "./version.ts";

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
  readonly cwd?: string;
  readonly registries: Registries;
  /** Milliseconds without a byte after which a request is given up. */
  readonly patience?: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait?: ((wait: RegistryWait) => void) | undefined;
}

export class RegistryClient {
  readonly #options: RegistryOptions;
  readonly #auth: RegistryAuth;
  readonly #transfers: Transfers;
  /** `authorization` headers that a registry took, by host and repository. */
  readonly #accepted = new Map<string, string>();
  readonly #manifests = new Map<string, Promise<Published>>();

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#auth = dockerAuth(options.env, options.cwd);
    this.#transfers = new Transfers(options);
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
    const { moduleFile } = await this.published(module);
    const { url, location } = this.#blobAt(module, moduleFile, maxModuleFile);
    const { status, body } = await this.#get(location, url, shown(module), "*/*", moduleFile.size);
    this.#checkBlob(module, moduleFile, location, status, createHash("sha256").update(body));
    return body;
  }

  /** Writes the module's archive to a file that is not there yet; what it wrote stays when it fails. */
  async zip(module: ModuleVersion, file: string): Promise<void> {
    const { zip } = await this.published(module);
    const { url, location } = this.#blobAt(module, zip, maxZip);
    const handle = await open(file, "wx");
    try {
      const download = new Download(handle, zip.size);
      const { status } = await this.#authorized(location, shown(module), (authorization) =>
        this.#transfers.ask(
          { location, url, what: shown(module), headers: () => ({ ...download.headers(), ...authorization }) },
          (answer) => download.take(answer),
        ),
      );
      this.#checkBlob(module, zip, location, status, download.hash);
    } finally {
      await handle.close();
    }
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
      next = nextPage(answer.headers["link"]);
    }
    return tags
      .filter((tag) => tag.startsWith(location.tagPrefix))
      .map((tag) => tag.slice(location.tagPrefix.length))
      .filter((version) => isVersion(version) && (major === undefined || majorOf(version) === major))
      .sort(compareVersions);
  }

  /** Where modules may lie that nobody has named. */
  get places(): readonly Place[] {
    return this.#options.registries.places;
  }

  /** The registry that has a module; undefined when none is to be asked. */
  hostOf(modulePath: string): string | undefined {
    return this.#options.registries.locate(modulePath)?.host;
  }

  /** Paths of what may be modules in a registry. Throws UserError (3) when it gives no list. */
  async list(place: Place): Promise<readonly string[]> {
    const what = "the list of modules";
    const paths = new Set<string>();
    let next: string | undefined = "/v2/_catalog?n=1000";
    for (let page = 0; next !== undefined && page < 100; page++) {
      const location: Location = { host: place.host, insecure: place.insecure, repository: "", tagPrefix: "" };
      const answer: Answer = await this.#get(location, next, what, "application/json", 16 << 20);
      if (answer.status === 404) throw this.#transfers.unreachable({ location, what }, "it gives none");
      const { repositories } = parse(answer.body, what) as { repositories?: unknown };
      for (const one of Array.isArray(repositories) ? repositories : []) {
        const path = typeof one === "string" ? place.modulePath(one) : undefined;
        if (path !== undefined) paths.add(path);
      }
      next = nextPage(answer.headers["link"]);
    }
    return [...paths].sort();
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

  #blobAt(module: ModuleVersion, { digest, size }: Blob, max: number): { readonly location: Location; readonly url: string } {
    if (size > max) throw damaged(module, `it has ${size} bytes, more than the ${max} that are allowed`);
    const location = this.#locate(module.path);
    return { location, url: `/v2/${location.repository}/blobs/${digest}` };
  }

  #checkBlob(module: ModuleVersion, { digest }: Blob, { host }: Location, status: number, hash: Hash): void {
    if (status === 404) throw damaged(module, `${host} has lost its blob ${digest}`);
    const seen = `sha256:${hash.digest("hex")}`;
    if (seen !== digest) throw damaged(module, `${host} sent bytes with the digest ${seen} instead of ${digest}`);
  }

  /** A small answer, in memory. */
  #get(location: Location, url: string, what: string, accept: string, max: number): Promise<Answer> {
    return this.#authorized(location, what, (authorization) =>
      this.#transfers.ask(
        { location, url, what, headers: () => ({ accept, ...authorization }) },
        async ({ status, headers, body, alive }) => {
          const limit = status < 300 ? max : maxManifest;
          const bytes = await readBody(body, limit + 1, alive);
          if (bytes.length > limit)
            throw this.#transfers.unreachable({ location, what }, `it sends more than the ${limit} bytes that it may`);
          return { status, headers, body: bytes };
        },
      ),
    );
  }

  /** Asks once with the login that is known, and once more with what the registry wants. */
  async #authorized(
    location: Location,
    what: string,
    ask: (headers: Readonly<Record<string, string>>) => Promise<Answer>,
  ): Promise<Answer> {
    const scope = `${location.host}/${location.repository}`;
    const header = (authorization: string | undefined) => (authorization === undefined ? {} : { authorization });
    const signal = this.#transfers.signal();
    let authorization = this.#accepted.get(scope) ?? (await cueLogin(this.#options.env, location.host, location.insecure, signal));
    let answer = await ask(header(authorization));
    if (answer.status === 401) {
      authorization = await this.#authorize(location, answer.headers["www-authenticate"] ?? "");
      if (authorization !== undefined) answer = await ask(header(authorization));
    }
    if (answer.status === 401 || answer.status === 403) {
      throw moduleError(
        3,
        "module-login",
        `the registry ${location.host} refuses access to ${what}`,
        `log in: docker login ${location.host}, or cue login ${location.host}`,
      );
    }
    if (answer.status >= 300 && answer.status !== 404) {
      throw this.#transfers.unreachable({ location, what }, `it answers with status ${answer.status}`);
    }
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
    const wanted = { host, realm, service: fields.get("service") ?? "", scopes };
    return `Bearer ${(await fetchToken(wanted, credentials, this.#options.env)).token}`;
  }
}

/** One blob on its way into a file; it goes on where a connection broke off, when the registry can do that. */
class Download {
  readonly #file: FileHandle;
  readonly #size: number;
  #received = 0;
  hash: Hash = createHash("sha256");

  constructor(file: FileHandle, size: number) {
    this.#file = file;
    this.#size = size;
  }

  headers(): Readonly<Record<string, string>> {
    return { accept: "*/*", ...(this.#received > 0 && { range: `bytes=${this.#received}-` }) };
  }

  async take({ status, headers, body, alive }: Arriving): Promise<Answer> {
    if (status === 416) {
      this.#restart();
      throw new BrokenOff("it has no more bytes of it");
    }
    if (status < 200 || status >= 300) return { status, headers, body: await readBody(body, maxManifest, alive) };
    const goesOn = status === 206 && headers["content-range"]?.startsWith(`bytes ${this.#received}-`) === true;
    if (!goesOn) this.#restart();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      alive();
      if (this.#received + chunk.length > this.#size) throw new Error(`it sends more than the ${this.#size} bytes that were announced`);
      await this.#file.write(chunk, 0, chunk.length, this.#received);
      this.#received += chunk.length;
      this.hash.update(chunk);
    }
    if (this.#received < this.#size) throw new BrokenOff(`it sends only ${this.#received} of ${this.#size} bytes`);
    return { status: 200, headers, body: Buffer.alloc(0) };
  }

  /** What was written is written over: it has the same length in the end. */
  #restart(): void {
    this.#received = 0;
    this.hash = createHash("sha256");
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
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

function nextPage(link: string | string[] | undefined): string | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec([link ?? ""].flat().join(", "))?.[1];
  if (target === undefined) return undefined;
  const url = new URL(target, "http://registry.invalid");
  return `${url.pathname}${url.search}`;
}
