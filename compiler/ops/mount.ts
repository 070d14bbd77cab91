// The mounts of an exec: "tmpfs", "cache", or a struct whose first telling field says the kind.
import type { Field } from "../value.ts";
import { concrete, describe, optional, readRecord, required, standard, wrongType } from "./fields.ts";
import { from } from "./from.ts";
import { nearest, orList } from "./near.ts";
import { nameOrId, secretName } from "./secret.ts";
import type { FieldSpec, FieldType, ReadContext, ToolName } from "./spec.ts";
import { boolean, integer, mode, name, oneOf, uid } from "./types.ts";
import type { From } from "./use.ts";

export type MountSpec =
  | { readonly kind: "tmpfs"; readonly size: number }
  /** Without `cache` the id is made from the component and the path. */
  | {
      readonly kind: "cache";
      readonly cache?: string;
      readonly sharing: "shared" | "private" | "locked";
      readonly from?: From;
      /** Directory of a new cache's files in `from`. */
      readonly path?: string;
      readonly readonly?: boolean;
    }
  | {
      readonly kind: "bind";
      readonly from: From;
      readonly path: string;
      readonly readonly: boolean;
      readonly output: boolean;
      /** Whether the files themselves, and not only how they are made, may be found in the cache. */
      readonly contentCache?: "on" | "off";
    }
  | {
      readonly kind: "secret";
      readonly secret: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly optional: boolean;
    }
  /** A program of ours, at the path of the mount. */
  | { readonly kind: "tool"; readonly tool: ToolName }
  /** A socket of the client under a path or a name: in the graph it is as an agent's. */
  | {
      readonly kind: "stream";
      readonly stream: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly optional: boolean;
    }
  | {
      readonly kind: "ssh";
      readonly ssh: string;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
      readonly optional: boolean;
    };

/** A number of bytes, or a text such as "64m". */
export const size: FieldType<number> = {
  words: `a number of bytes, or a text such as "64m"`,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    const { scalar } = value;
    if (typeof scalar === "number" && Number.isSafeInteger(scalar) && scalar >= 0) return scalar;
    const match = typeof scalar === "string" ? /^(\d+)([kmg]?)b?$/i.exec(scalar) : null;
    if (match === null) return wrongType(field, size.words, context);
    return Number(match[1]) * 1024 ** ["", "k", "m", "g"].indexOf((match[2] ?? "").toLowerCase());
  },
};

const socketName = nameOrId("the name of a socket", "a socket");

/** A name, or what the first dialect had: `{id: NAME}`, and `{unix: PATH}`, where the path is the name. */
const stream: FieldType<string> = {
  words: `the name of a socket, or {unix: "/path"}`,
  read: (field, context) => {
    if (!field.value.fields.has("unix")) return socketName.read(field, context);
    const record = readRecord("stream", { unix: required(name) }, field, context) as { readonly unix: string } | undefined;
    return record?.unix;
  },
};

const owned = { uid: standard(uid, 0), gid: standard(uid, 0), optional: standard(boolean, false) };

/** By the field that names the kind; a cache may have a `from` too, so it is asked first. */
const KINDS: readonly { kind: MountSpec["kind"]; field: string; fields: Readonly<Record<string, FieldSpec<unknown>>> }[] = [
  {
    kind: "cache",
    field: "cache",
    fields: {
      cache: required(name),
      sharing: standard(oneOf("shared", "private", "locked"), "shared"),
      from: optional(from),
      path: optional(name),
      readonly: standard(boolean, false),
    },
  },
  { kind: "secret", field: "secret", fields: { secret: required(secretName), mode: standard(mode, 0o400), ...owned } },
  { kind: "ssh", field: "ssh", fields: { ssh: required(name), mode: standard(mode, 0o600), ...owned } },
  { kind: "stream", field: "stream", fields: { stream: required(stream), mode: standard(mode, 0o600), ...owned } },
  { kind: "tmpfs", field: "tmpfs", fields: { tmpfs: required(size) } },
  { kind: "tool", field: "tool", fields: { tool: required(oneOf<ToolName>("dagger-run", "gomplate", "jsonnet")) } },
  {
    kind: "bind",
    field: "from",
    fields: {
      from: required(from),
      path: standard(name, "/"),
      readonly: standard(boolean, false),
      output: standard(boolean, false),
      contentCache: optional(oneOf("on", "off")),
    },
  },
];

const words = `"tmpfs", "cache", or a struct with ${orList(KINDS.map(({ field }) => field))}`;

export const mount: FieldType<MountSpec> = {
  words,
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.scalar === "tmpfs") return { kind: "tmpfs", size: 0 };
    if (value.scalar === "cache") return { kind: "cache", sharing: "shared" };
    if (typeof value.scalar === "string") {
      const [near] = nearest(value.scalar, ["tmpfs", "cache"]);
      return wrongType(field, words, context, near === undefined ? undefined : `Did you mean ${JSON.stringify(near)}?`);
    }
    return value.kind === "struct" ? readStruct(field, context) : wrongType(field, words, context);
  },
};

function readStruct(field: Field, context: ReadContext): MountSpec | undefined {
  const { fields } = field.value;
  const found = KINDS.find((kind) => fields.has(kind.field));
  if (found === undefined) {
    if (fields.has("#up")) return wrongType(field, words, context, "Mount a component with {from: …}");
    const near = [...fields.keys()].flatMap((label) =>
      nearest(
        label,
        KINDS.map((kind) => kind.field),
      ),
    );
    context.problem({
      code: "wrong-type",
      message: `Mount ${field.path} takes ${words}, got ${describe(field.value)} with ${[...fields.keys()].join(", ") || "no fields"}`,
      path: field.path,
      at: field.at,
      ...(near[0] === undefined ? {} : { hint: `Did you mean ${near[0]}?` }),
    });
    return undefined;
  }
  const record = readRecord(`mount with ${found.field}`, found.fields, field, context);
  if (record === undefined) return undefined;
  if (found.kind === "tmpfs") return { kind: "tmpfs", size: Number(record["tmpfs"]) };
  if (record["readonly"] === true && record["output"] === true) {
    return wrongType(field, "readonly or output, not both", context, "What is read-only cannot give an output");
  }
  // The table above gives each kind the fields of its member of MountSpec.
  return { kind: found.kind, ...record } as unknown as MountSpec;
}

/** A mount as it is written in CUE, without what it would be anyway. */
export function showMount(spec: MountSpec): string | Readonly<Record<string, unknown>> {
  if (spec.kind === "tmpfs") return spec.size === 0 ? "tmpfs" : { tmpfs: spec.size };
  const fields = KINDS.find(({ kind }) => kind === spec.kind)?.fields ?? {};
  const { kind, ...rest } = spec;
  const entries = Object.entries(rest).filter(([label, value]) => value !== fields[label]?.standard);
  return kind === "cache" && !("cache" in rest) ? "cache" : Object.fromEntries(entries);
}

/** Limits such as {nofile: 1024} or {nofile: {soft: 1024, hard: 4096}}; -1 means unlimited. */
export const ulimit: FieldType<{ readonly soft: number; readonly hard: number }> = {
  words: "a number, or {soft, hard}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    const limit = integer(-1, Number.MAX_SAFE_INTEGER);
    if (value.kind !== "struct") {
      const both = limit.read(field, context);
      return both === undefined ? undefined : { soft: both, hard: both };
    }
    const record = readRecord("ulimit", { soft: required(limit), hard: required(limit) }, field, context);
    return record as { soft: number; hard: number } | undefined;
  },
};

/** A device of the daemon, by its CDI name. */
export const device: FieldType<{ readonly name: string; readonly optional: boolean }> = {
  words: "a CDI name, or {name, optional}",
  read: (field, context) => {
    const value = concrete(field, context);
    if (value === undefined) return undefined;
    if (value.kind !== "struct") {
      const text = name.read(field, context);
      return text === undefined ? undefined : { name: text, optional: false };
    }
    const record = readRecord("device", { name: required(name), optional: standard(boolean, false) }, field, context);
    return record as { name: string; optional: boolean } | undefined;
  },
};
