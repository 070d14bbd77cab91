// What a run of a stack still lacks: values, secrets and sockets that nothing gives, all of them, found without a daemon.
import type { Diagnostic, Field, Missing, Value } from "../../compiler/index.ts";
import { inputError, UserError } from "../../compiler/index.ts";
import type { ConfigRequest } from "../config/config.ts";
import { loadConfig } from "../config/config.ts";
import { compileUnasked } from "../config/vet.ts";
import { inStackTerms } from "./explain.ts";
import type { ConfigInput } from "./inputs.ts";
import { about, fieldAt, kindOf } from "./inputs.ts";

export interface MissingRequest extends ConfigRequest {
  readonly targets: readonly string[];
}

/** By the order of the config; none when a run can begin. Throws UserError (2) when the config is wrong. */
export async function missingInputs(request: MissingRequest): Promise<readonly ConfigInput[]> {
  const config = await loadConfig(request);
  try {
    const { root } = config.evaluation;
    const job = await compileUnasked(config, { ...request, gradual: true });
    const values = job.undone.flatMap(({ missing }) => missing).map((missing) => ofValue(root, missing));
    const idsOf = (flags: readonly string[] = []): ReadonlySet<string> => new Set(flags.map((flag) => flag.split("=")[0] ?? ""));
    const [secrets, sockets] = [idsOf([...(request.secrets ?? []), ...config.secrets]), idsOf(request.ssh)];
    // What is undone is not compiled: its secrets and sockets are those that its ops name.
    const later = job.undone.flatMap(({ path }) => namedBelow(path === "" ? root : fieldAt(root, path)?.value));
    return unique([
      ...values,
      ...later.filter(({ kind, id }) => !(kind === "secret" ? secrets : sockets).has(id)).map((need) => ofId(root, need, need.kind)),
      ...job.secrets.filter(({ id, optional }) => !optional && !secrets.has(id)).map((need) => ofId(root, need, "secret")),
      ...job.ssh.filter(({ id, optional }) => !optional && !sockets.has(id)).map((need) => ofId(root, need, "socket")),
    ]);
  } finally {
    config.close();
  }
}

/** When a run failed for something that is missing: the error with all that is. Any other error stays as it is. */
export async function withAllMissing(error: unknown, request: MissingRequest): Promise<unknown> {
  const codes = ["missing-value", "missing-secret", "missing-ssh"];
  if (!(error instanceof UserError) || request.stack === undefined || !error.diagnostics.every(({ code }) => codes.includes(code)))
    return error;
  const missing = await missingInputs(request).catch(() => []);
  const told = new Set(error.diagnostics.flatMap((one) => [one.path, /"([^"]*)"/.exec(one.message)?.[1]]));
  const more = missing.filter(({ path }) => !told.has(path)).map(describe);
  return more.length === 0 ? error : inStackTerms(inputError(...error.diagnostics, ...more), request.stack);
}

function describe({ path, kind, type, at }: ConfigInput): Diagnostic {
  if (kind === "secret" && type === "") return { code: "missing-secret", message: `Missing secret ${JSON.stringify(path)}`, at };
  if (kind === "socket" && type === "") return { code: "missing-ssh", message: `Missing SSH agent or socket ${JSON.stringify(path)}`, at };
  return {
    code: "missing-value",
    message: `Missing value: nothing gives ${path}${type === "" || type === "_" ? "" : ` (${type})`}`,
    path,
    at,
  };
}

function ofValue(root: Value, missing: Missing): ConfigInput {
  // An artifact lacks its ops.
  const path = missing.path.replace(/[.](#up)?$/, "");
  const owner = path.endsWith(".id") ? fieldAt(root, path.slice(0, -3)) : undefined;
  if (owner !== undefined && ["secret", "socket"].includes(kindOf(owner.value)))
    return { ...about(owner), kind: kindOf(owner.value), required: true };
  const field = fieldAt(root, path);
  if (field === undefined) return { path, kind: "json", type: missing.type, title: "", description: "", required: true, at: missing.at };
  return { ...about(field), path, kind: path === missing.path ? kindOf(field.value) : "directory", required: true };
}

function ofId(root: Value, need: Pick<Named, "id" | "at">, kind: "secret" | "socket"): ConfigInput {
  const field = fieldAt(root, need.id);
  return {
    path: need.id,
    kind,
    type: "",
    title: field === undefined ? "" : about(field).title,
    description: "",
    required: true,
    at: need.at,
  };
}

interface Named {
  readonly kind: "secret" | "socket";
  readonly id: string;
  readonly at: ConfigInput["at"];
}

function namedBelow(root: Value | undefined, seen: Set<Value> = new Set<Value>()): readonly Named[] {
  if (root === undefined || seen.has(root)) return [];
  seen.add(root);
  const fields = [...root.fields.values()];
  const own = root.fields.get("optional")?.value.scalar === true ? [] : fields.flatMap(namedBy);
  return [...own, ...[...fields, ...root.items].flatMap(({ value }) => namedBelow(value, seen))];
}

function namedBy({ label, value: { scalar }, at }: Field): readonly Named[] {
  if (typeof scalar !== "string" || (label !== "secret" && label !== "ssh")) return [];
  return [{ kind: label === "secret" ? "secret" : "socket", id: scalar, at }];
}

function unique(inputs: readonly ConfigInput[]): readonly ConfigInput[] {
  return [...new Map(inputs.map((input) => [input.path, input])).values()];
}
