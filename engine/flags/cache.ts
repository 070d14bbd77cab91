// Reads --cache-from and --cache-to flags, in the syntax that buildctl and buildx share.
import { resolve } from "node:path";
import { inputError, nearest } from "../../compiler/index.ts";
import type { CacheEntry } from "../../runtime/solve/index.ts";
import { splitCsv } from "./csv.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What a type takes beside `type`; what all exports take is added. */
const attributes: Readonly<Record<string, readonly string[]>> = {
  registry: ["ref", "registry.insecure", "image-manifest"],
  local: ["src", "dest", "tag", "digest", "reset", "image-manifest"],
  inline: [],
  gha: ["url", "url_v2", "token", "scope", "timeout", "repository", "ghtoken", "version"],
  s3: [
    ...["bucket", "region", "prefix", "manifests_prefix", "blobs_prefix", "name", "touch_refresh", "endpoint_url", "access_key_id"],
    ...["secret_access_key", "session_token", "use_path_style", "upload_parallelism", "disable_accept_encoding", "retry_mode"],
    "retry_max_attempts",
  ],
  azblob: ["account_url", "account_name", "secret_access_key", "container", "prefix", "manifests_prefix", "blobs_prefix", "name"],
};
const forExports = ["mode", "oci-mediatypes", "compression", "compression-level", "force-compression", "ignore-error"];
const flagNames = { import: "--cache-from", export: "--cache-to" } as const;

/**
 * `type=TYPE,KEY=VALUE,…`, or a bare image reference for a registry. Relative directories start at `cwd`. For `gha` the variables of a
 * workflow fill in what is missing. Throws UserError (2) `bad-cache-flag`.
 */
export function parseCache(flags: readonly string[], use: "import" | "export", env: Environment, cwd: string): CacheEntry[] {
  const entries = flags.map((flag) => parseOne(flag, use, env, cwd));
  const duplicate = entries.find((entry, i) => use === "export" && entries.findIndex((other) => same(entry, other)) !== i);
  if (duplicate !== undefined) throw bad(use, `type=${duplicate.type},…`, "the same cache is given twice");
  return entries;
}

function parseOne(flag: string, use: "import" | "export", env: Environment, cwd: string): CacheEntry {
  const fields = flag.includes("type=") || flag.includes("=") ? splitCsv(flag) : ["type=registry", `ref=${flag}`];
  const attrs: Record<string, string> = {};
  for (const field of fields) {
    const cut = field.indexOf("=");
    if (cut <= 0) throw bad(use, flag, `${JSON.stringify(field)} is not KEY=VALUE`);
    attrs[field.slice(0, cut).trim().toLowerCase()] = field.slice(cut + 1);
  }
  const { type, ...rest } = attrs;
  const known = type === undefined ? undefined : attributes[type];
  if (type === undefined || known === undefined)
    throw bad(use, flag, type === undefined ? "it has no type" : unknown("type", type, Object.keys(attributes)));
  if (type === "inline" && use === "import") throw bad(use, flag, "an inline cache is imported from its image: type=registry,ref=IMAGE");
  const allowed = use === "export" ? [...known, ...forExports] : known;
  for (const key of Object.keys(rest)) if (!allowed.includes(key)) throw bad(use, flag, unknown(`attribute of ${type}`, key, allowed));
  const filled = type === "gha" ? withWorkflow(rest, use, env) : type === "s3" ? withKeys(rest, env) : rest;
  if (type === "azblob" && filled["account_url"]?.includes("?") === true)
    throw bad(use, "type=azblob", "account_url has a query, and the daemon takes no shared access signature: give secret_access_key");
  if (use === "export") filled["mode"] ??= "min";
  if (use === "export" && filled["mode"] !== "min" && filled["mode"] !== "max") throw bad(use, flag, "mode must be min or max");
  const dir = use === "export" ? "dest" : "src";
  if (type === "local" && filled[dir] !== undefined && filled[dir] !== "") filled[dir] = resolve(cwd, filled[dir]);
  return { type, attrs: filled };
}

/** As buildctl fills them in, from the variables that GitHub gives to actions. */
function withWorkflow(attrs: Record<string, string>, use: "import" | "export", env: Environment): Record<string, string> {
  const second = (attrs["version"] ?? (/^(1|t|true)$/i.test(env["ACTIONS_CACHE_SERVICE_V2"] ?? "") ? "2" : "")) === "2";
  const results = env["ACTIONS_RESULTS_URL"];
  const url = attrs["url"] ?? env["ACTIONS_CACHE_URL"] ?? results;
  const url_v2 = attrs["url_v2"] ?? (second ? results : undefined);
  const token = attrs["token"] ?? env["ACTIONS_RUNTIME_TOKEN"];
  const missing = url === undefined && url_v2 === undefined ? "url" : token === undefined ? "token" : undefined;
  if (missing !== undefined || token === undefined)
    throw bad(
      use,
      "type=gha",
      `${missing} is not given, and this is no GitHub workflow that exports ACTIONS_RESULTS_URL and ACTIONS_RUNTIME_TOKEN`,
    );
  return { ...attrs, token, ...(url === undefined ? {} : { url }), ...(url_v2 === undefined ? {} : { url_v2 }) };
}

/** As buildx fills them in: the user's own keys, unless the flag has some; without any the daemon uses its own. */
function withKeys(attrs: Record<string, string>, env: Environment): Record<string, string> {
  const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "", AWS_SESSION_TOKEN: token = "" } = env;
  const region = attrs["region"] ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  const own = attrs["access_key_id"] !== undefined || attrs["secret_access_key"] !== undefined || id === "" || secret === "";
  const keys = own ? {} : { access_key_id: id, secret_access_key: secret, ...(token === "" ? {} : { session_token: token }) };
  return { ...attrs, ...(region === undefined ? {} : { region }), ...keys };
}

function same(a: CacheEntry, b: CacheEntry): boolean {
  return a.type === b.type && JSON.stringify(Object.entries(a.attrs).sort()) === JSON.stringify(Object.entries(b.attrs).sort());
}

function unknown(what: string, name: string, choices: readonly string[]): string {
  const [near] = nearest(name, choices);
  return `there is no ${what} ${JSON.stringify(name)}${near === undefined ? "" : `, did you mean ${near}?`}`;
}

/** Attributes may be credentials: of a flag that has some, only the type is shown. */
function bad(use: "import" | "export", flag: string, why: string): Error {
  const shown = /secret|token|key|sig=/i.test(flag) ? (/type=[a-z0-9]*/.exec(flag)?.[0] ?? "…") : flag;
  return inputError({
    code: "bad-cache-flag",
    message: `Cannot read ${flagNames[use]} ${JSON.stringify(shown)}: ${why}`,
    at: [],
    hint: `Write for example: ${flagNames[use]} type=registry,ref=registry.example.com/app:cache`,
  });
}
