// `stamp`: every file of a filesystem as a gomplate template, filled with data of the config.
import { emptyState } from "../graph/state.ts";
import type { ExecVertex, Mount, Output } from "../graph/vertex.ts";
import { execOutputIndex } from "../llb/index.ts";
import { optional, required, standard } from "./fields.ts";
import { fileOutput } from "./files.ts";
import { from } from "./from.ts";
import { json } from "./json.ts";
import type { LowerContext, OpSpec } from "./spec.ts";
import { listOf, name } from "./types.ts";
import type { From, OpBase } from "./use.ts";

export interface StampOp extends OpBase<"stamp"> {
  readonly from: From;
  /** JSON text: the templates' context. */
  readonly data: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Files that are no templates: copied as they are. */
  readonly verbatim?: readonly string[];
  readonly leftDelim: string;
  readonly rightDelim: string;
}

const TOOL = "/.dagger/gomplate";
const DATA = "/.dagger/data.json";
const IN = "/in";
const OUT = "/out";

export const stamp: OpSpec<StampOp> = {
  do: "stamp",
  fields: {
    from: required(from),
    data: required(json),
    include: optional(listOf(name)),
    exclude: optional(listOf(name)),
    verbatim: optional(listOf(name)),
    leftDelim: standard(name, "{{"),
    rightDelim: standard(name, "}}"),
  },
  words: (op) => `stamp ${op.from.value.path}`,
  lower: (op, _state, context) => {
    const source = context.load(op.from);
    if (source.fs === null) return source;
    const vertex = gomplate(op, source.fs, context);
    const stamped = { vertex, index: execOutputIndex(vertex, OUT) };
    return { ...emptyState(source.platform), fs: stamped };
  },
};

/** Runs where the job runs, whatever the files are for; from an empty root and without a network, so that only the inputs count. */
function gomplate(op: StampOp, files: Output, context: LowerContext): ExecVertex {
  const meta = context.meta(op, stamp.words(op));
  const platform = context.runPlatform;
  const data = { kind: "mkfile", path: "/data.json", mode: 0o644, data: new TextEncoder().encode(op.data) } as const;
  const values = fileOutput(null, [data], { ...meta, name: `${meta.name}: data` });
  return {
    kind: "exec",
    args: [
      TOOL,
      `--input-dir=${IN}`,
      `--output-dir=${OUT}`,
      `--context=.=file://${DATA}?type=application/json`,
      ...(op.include ?? []).map((pattern) => `--include=${pattern}`),
      // It says which files are left out, and is no template.
      "--exclude=.gomplateignore",
      ...(op.exclude ?? []).map((pattern) => `--exclude=${pattern}`),
      ...(op.verbatim ?? []).map((pattern) => `--exclude-processing=${pattern}`),
      ...(op.leftDelim === "{{" ? [] : [`--left-delim=${op.leftDelim}`]),
      ...(op.rightDelim === "}}" ? [] : [`--right-delim=${op.rightDelim}`]),
    ],
    env: [],
    cwd: "/",
    user: "",
    extraHosts: [],
    network: "none",
    insecure: false,
    validExitCodes: [],
    ulimits: [],
    devices: [],
    secretEnv: [],
    root: null,
    mounts: mounts(files, values, context.tool("gomplate", platform)),
    platform,
    meta,
  };
}

function mounts(files: Output, values: Output, tool: Output): Mount[] {
  return [
    readonly(IN, files, ""),
    { kind: "bind", dest: OUT, from: null, selector: "", readonly: false, output: true },
    readonly(TOOL, tool, "/gomplate"),
    readonly(DATA, values, "/data.json"),
    { kind: "tmpfs", dest: "/tmp", size: 0 },
  ];
}

function readonly(dest: string, from: Output, selector: string): Mount {
  return { kind: "bind", dest, from, selector, readonly: true, output: false };
}
