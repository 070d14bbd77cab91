// `fetch-http`: one file by HTTP, as a filesystem with nothing but it. The daemon asks the server each time whether it changed.
import { emptyState } from "../graph/state.ts";
import { httpAttrs } from "../llb/index.ts";
import type { Field } from "../value.ts";
import { concrete, optional, readRecord, required, standard, wrongType } from "./fields.ts";
import { given } from "./files.ts";
import { secretField } from "./secret.ts";
import type { FieldType, OpSpec, ReadContext } from "./spec.ts";
import { integer, name, string, uid } from "./types.ts";
import type { OpBase, SecretRef } from "./use.ts";

interface Headers {
  readonly accept?: string;
  readonly userAgent?: string;
}

interface Signature {
  readonly pubKey: string;
  readonly signature: string;
}

export interface FetchHttpOp extends OpBase<"fetch-http"> {
  readonly url: string;
  readonly checksum?: string;
  readonly filename?: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly headers?: Headers;
  /** Holds the whole Authorization header. */
  readonly auth?: SecretRef;
  readonly signature?: Signature;
}

const url: FieldType<string> = {
  words: `an address such as "https://host/file"`,
  read: (field, context) => {
    const text = name.read(field, context);
    if (text === undefined) return undefined;
    const parsed = parse(text);
    if (typeof parsed === "string") return invalid(field, context, parsed, "Write it as https://host/path");
    if (parsed.password !== "" || parsed.username !== "") {
      const hint = `Use auth: {secret: "NAME"}, whose value is the Authorization header`;
      return invalid(field, context, "it holds a user or password, which everybody could read in the graph", hint);
    }
    // The daemon knows the schemes in lower case only; all else stays as it is written.
    return text.replace(/^[a-zA-Z]+/, (scheme) => scheme.toLowerCase());
  },
};

/** The parsed URL, or what is wrong with it. */
function parse(text: string): URL | string {
  const scheme = /^([a-zA-Z][a-zA-Z0-9+.-]*):\/\//.exec(text)?.[1]?.toLowerCase();
  if (scheme !== "http" && scheme !== "https") return "it must start with http:// or https://";
  if (/[\u0000-\u0020\u007f"<>\\^`{|}]/.test(text)) return "blanks and the like must be written as %XX";
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return "it has a % that starts no encoded character";
  return URL.canParse(text) ? new URL(text) : "it names no host";
}

/** Without the URL, which may hold a password. */
function invalid(field: Field, context: ReadContext, problem: string, hint: string): undefined {
  context.problem({ code: "invalid-url", message: `Invalid URL: ${problem}`, path: field.path, at: field.at, hint });
  return undefined;
}

const checksum: FieldType<string> = {
  words: `a digest such as "sha256:…"`,
  read: (field, context) => {
    const text = string.read(field, context);
    if (text === undefined) return undefined;
    return /^(sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128})$/.test(text) ? text : wrongType(field, checksum.words, context);
  },
};

const filename: FieldType<string> = {
  words: "the name of a file, without a directory",
  read: (field, context) => {
    const text = name.read(field, context);
    if (text === undefined) return undefined;
    return text.includes("/") || text === "." || text === ".." ? wrongType(field, filename.words, context) : text;
  },
};

/** A header must fit on one line. */
const headerText: FieldType<string> = {
  words: "a text of one line",
  read: (field, context) => {
    const text = name.read(field, context);
    return text === undefined || !/[\u0000-\u001f\u007f]/.test(text) ? text : wrongType(field, headerText.words, context);
  },
};

const headers: FieldType<Headers> = struct("headers", { accept: optional(headerText), userAgent: optional(headerText) });
const signature: FieldType<Signature> = struct("signature", { pubKey: required(name), signature: required(name) });

function struct<T>(words: string, fields: Parameters<typeof readRecord>[1]): FieldType<T> {
  const shape = `{${Object.keys(fields).join(", ")}}`;
  return {
    words: shape,
    read: (field, context) => {
      const value = concrete(field, context);
      if (value === undefined) return undefined;
      if (value.kind !== "struct") return wrongType(field, shape, context);
      return readRecord(words, fields, field, context) as T | undefined;
    },
  };
}

export const fetchHttp: OpSpec<FetchHttpOp> = {
  do: "fetch-http",
  fields: {
    url: required(url),
    checksum: optional(checksum),
    filename: optional(filename),
    mode: standard(integer(0, 0o777), 0o600),
    uid: standard(uid, 0),
    gid: standard(uid, 0),
    headers: optional(headers),
    auth: optional(secretField),
    signature: optional(signature),
  },
  words: (op) => `fetch-http ${op.url}`,
  check: (op, field, context) => {
    if (op.mode === 0) {
      const at = field.value.fields.get("mode")?.at ?? field.at;
      context.problem({
        code: "wrong-type",
        message: "Op fetch-http takes no mode 0: the daemon reads it as its default",
        path: `${field.path}.mode`,
        at,
      });
    }
    if (op.auth?.optional !== true) return;
    context.problem({
      code: "wrong-type",
      message: "Op fetch-http has no optional auth: the daemon insists on a secret that is named",
      path: `${field.path}.auth.optional`,
      at: field.value.fields.get("auth")?.at ?? field.at,
      hint: "Leave auth out: the secret HTTP_AUTH_HEADER_<host> is sent when there is one",
    });
  },
  lower: (op, _state, context) => {
    if (op.auth !== undefined) context.secret(op.auth.secret, op.auth.optional, op.place.at);
    const attrs = (checksum: string | undefined) =>
      httpAttrs({
        // The daemon's own default: saying it would be another file to the cache.
        mode: op.mode === 0o600 ? 0 : op.mode,
        uid: op.uid,
        gid: op.gid,
        ...given("checksum", checksum),
        ...given("filename", op.filename),
        ...given("authHeader", op.auth?.secret),
        ...op.headers,
        ...given("signature", op.signature),
      });
    const need = { kind: "http", name: op.url, identifier: op.url, attrs: attrs(undefined), at: op.place.at } as const;
    const checksum = op.checksum ?? context.locked?.(need);
    const vertex = { kind: "source", identifier: op.url, attrs: attrs(checksum), meta: context.meta(op, fetchHttp.words(op)) } as const;
    return { ...emptyState(context.platform), fs: { vertex, index: 0 } };
  },
};
