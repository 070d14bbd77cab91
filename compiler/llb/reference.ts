// Image references: the short forms people write, and the full one that daemons and registries use.

/** `reference` is complete (`docker.io/library/debian:12`); `problem` says in words what is wrong with the text. */
export type Reference =
  | {
      readonly ok: true;
      readonly reference: string;
      /** Registry host, with its port. */
      readonly domain: string;
      /** Repository without the domain. */
      readonly path: string;
      /** Given or "latest"; absent when there is only a digest. */
      readonly tag?: string;
      readonly digest?: string;
    }
  | { readonly ok: false; readonly problem: string };

const DEFAULT_DOMAIN = "docker.io";
const LEGACY_DOMAIN = "index.docker.io";
const OFFICIAL = "library/";
const MAX_PATH = 255;

const HOST_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const HOST = `(?:${HOST_PART}(?:\\.${HOST_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const NAME = new RegExp(`^(${HOST})/(${PATH_PART}(?:/${PATH_PART})*)$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/**
 * Completes a reference as docker does: `debian` → `docker.io/library/debian:latest`, `me/tool@sha256:…` → `docker.io/me/tool@sha256:…`.
 * A first part with `.` or `:`, with capitals, or `localhost` is a registry.
 */
export function normalizeReference(text: string): Reference {
  if (text === "") return problem("an image reference must not be empty");
  if (/^[a-f0-9]{64}$/.test(text)) return problem("64 hexadecimal digits alone name an image of a store, not of a registry");
  const { name, tag, digest } = split(text);
  const [domain, path] = splitDomain(name);
  const wrong = check(domain, path, tag, digest);
  if (wrong !== undefined) return problem(wrong);
  const fullTag = tag ?? (digest === undefined ? "latest" : undefined);
  const reference = `${domain}/${path}${fullTag === undefined ? "" : `:${fullTag}`}${digest === undefined ? "" : `@${digest}`}`;
  return {
    ok: true,
    reference,
    domain,
    path,
    ...(fullTag === undefined ? {} : { tag: fullTag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

function problem(text: string): Reference {
  return { ok: false, problem: text };
}

function split(text: string): { name: string; tag?: string; digest?: string } {
  const at = text.indexOf("@");
  const front = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to a port.
  const colon = front.indexOf(":", front.lastIndexOf("/") + 1);
  return {
    name: colon < 0 ? front : front.slice(0, colon),
    ...(colon < 0 ? {} : { tag: front.slice(colon + 1) }),
    ...(at < 0 ? {} : { digest: text.slice(at + 1) }),
  };
}

function splitDomain(name: string): [domain: string, path: string] {
  const slash = name.indexOf("/");
  if (slash < 0) return [DEFAULT_DOMAIN, OFFICIAL + name];
  const first = name.slice(0, slash);
  const rest = name.slice(slash + 1);
  const isDomain = first === "localhost" || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = !isDomain || first === LEGACY_DOMAIN ? DEFAULT_DOMAIN : first;
  const path = isDomain ? rest : name;
  return [domain, domain === DEFAULT_DOMAIN && !path.includes("/") ? OFFICIAL + path : path];
}

/** What is wrong with the parts, if anything. */
function check(domain: string, path: string, tag: string | undefined, digest: string | undefined): string | undefined {
  if (path.toLowerCase() !== path) return `the repository name must be lower case: ${quote(path)}`;
  if (!NAME.test(`${domain}/${path}`)) return `the name ${quote(`${domain}/${path}`)} is not of the form [host[:port]/]path`;
  if (path.length > MAX_PATH) return `the repository name has ${path.length} characters, at most ${MAX_PATH} are allowed`;
  if (tag !== undefined && !TAG.test(tag)) return `the tag ${quote(tag)} must be 1 to 128 of A-Z a-z 0-9 _ . - and not start with . or -`;
  return digest === undefined ? undefined : checkDigest(digest);
}

function checkDigest(digest: string): string | undefined {
  const [algorithm = "", hex = ""] = digest.split(":");
  const length = Object.hasOwn(DIGEST_LENGTHS, algorithm) ? DIGEST_LENGTHS[algorithm] : undefined;
  if (length === undefined) return `the digest ${quote(digest)} must start with sha256:, sha384: or sha512:`;
  if (digest !== `${algorithm}:${hex}` || hex.length !== length || !/^[a-f0-9]*$/.test(hex)) {
    return `the digest ${quote(digest)} must have ${length} lower-case hexadecimal digits after ${algorithm}:`;
  }
  return undefined;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
