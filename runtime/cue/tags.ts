// Values for @tag(var=NAME): what a config may learn of the machine and the moment, when the user allows it.
import { randomBytes } from "node:crypto";
import { hostname, userInfo } from "node:os";
import type { Var } from "./protocol.ts";

/** Go's names, as `cue` has them. */
const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows", sunos: "solaris" };
const PROCESSORS: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

/** The values of those variables that there are. `cwd` is the absolute working directory. */
export function readVars(names: readonly string[], cwd: string): Record<string, Var> {
  const known: Readonly<Record<string, () => Var>> = {
    now: () => text(new Date().toISOString()),
    os: () => text(SYSTEMS[process.platform] ?? process.platform),
    arch: () => text(PROCESSORS[process.arch] ?? process.arch),
    cwd: () => text(cwd),
    username: () => text(userInfo().username),
    hostname: () => text(hostname()),
    rand: () => ({ kind: "int", text: `0x${randomBytes(16).toString("hex")}` }),
  };
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(known, name) ? [[name, (known[name] as () => Var)()]] : [])));
}

function text(value: string): Var {
  return { kind: "string", text: value };
}
