// The process of an op, as another system can run it; what that cannot do is told.
import type { Diagnostic } from "../diagnostic.ts";
import { addEnv } from "../graph/state.ts";
import { resolvePath } from "../llb/index.ts";
import type { ExecOp } from "../ops/exec-op.ts";
import type { ResourceLimits } from "../ops/resources.ts";
import type { ServiceOp } from "../ops/service.ts";
import { milliseconds } from "../ops/supervision.ts";
import { type SecretRef, showText, type Text } from "../ops/use.ts";
import type { Root } from "./root.ts";
import type { WorkloadProcess } from "./workload.ts";

/** Told what another system cannot do: `problem` where the process would be another one, `loss` where something of it is missing. */
export interface ProcessTold {
  readonly problem: (diagnostic: Diagnostic) => void;
  readonly loss: (diagnostic: Diagnostic) => void;
}

export function readProcess(op: ExecOp | ServiceOp, root: Root, told: ProcessTold): WorkloadProcess {
  const text = (value: Text, field: string): string => {
    if (typeof value === "string") return value;
    const message = `${showText(value)} is computed by a run, and not known in another system`;
    const hint = "Hand it on as an output, whose file the task reads";
    told.problem({ code: "target-step", message, path: `${op.place.path}.${field}`, at: value.at, hint });
    return "";
  };
  const dir =
    op.dir === undefined ? root.dir : root.dir === undefined && !op.dir.startsWith("/") ? undefined : resolvePath(root.dir ?? "/", op.dir);
  const base = {
    args: op.args.map((arg) => text(arg, "args")),
    env: environment(op, root).map(([name, value]) => [name, isSecret(value) ? value : text(value, "env")] as const),
    ...(dir === undefined ? {} : { dir }),
  };
  return op.do === "exec" ? { ...base, ...execParts(op, root, told) } : { ...base, ...usual, ...serviceParts(op, root) };
}

/** As far as it runs in a container. */
function serviceParts({ container }: ServiceOp, { user }: Root): Pick<WorkloadProcess, "user"> & Partial<Pick<WorkloadProcess, "network">> {
  if (container === undefined) return {};
  const network = container.network === undefined ? undefined : networkOf(container.network);
  return { ...(user === undefined ? {} : { user }), ...(network === undefined ? {} : { network }) };
}

/** Of a network of a container engine, where every system has one like it. */
export function networkOf(network: string): WorkloadProcess["network"] | undefined {
  if (network === "bridge" || network === "default") return "sandbox";
  return network === "host" || network === "none" ? network : undefined;
}

const usual = { hosts: [], network: "sandbox", insecure: false, readonly: false, ulimits: [], limits: {}, retries: 0 } as const;

type Telling = (field: string, message: string, hint?: string) => void;

function telling({ place }: ExecOp | ServiceOp, code: "target-step" | "target-loss", tell: ProcessTold["problem"]): Telling {
  return (field, message, hint) => {
    const at = place.fields.get(field) ?? place.at;
    tell({ code, message, path: `${place.path}.${field}`, at, ...(hint === undefined ? {} : { hint }) });
  };
}

function isSecret(value: Text | SecretRef): value is SecretRef {
  return typeof value === "object" && "secret" in value;
}

/** A name that is set again takes the place of the one before; proxies are variables, too. */
function environment(op: ExecOp | ServiceOp, root: Root): (readonly [name: string, value: Text | SecretRef])[] {
  const proxies = op.do === "exec" && op.proxy !== undefined ? Object.entries(op.proxy) : [];
  const addresses = proxies.flatMap(([name, address]: [string, string]) => (address === "" ? [] : [[`${name}_proxy`, address] as const]));
  const texts = op.env.flatMap(([name, value]) => (isSecret(value) ? [] : [[name, value] as const]));
  const secrets = op.env.flatMap(([name, value]) => (isSecret(value) ? [[name, value] as const] : []));
  const hidden = new Set(secrets.map(([name]) => name));
  return [...addEnv(addEnv(root.env, addresses), texts).filter(([name]) => !hidden.has(name)), ...secrets];
}

function execParts(op: ExecOp, root: Root, told: ProcessTold): Omit<WorkloadProcess, "args" | "env" | "dir"> {
  tellUnsaid(op, told);
  const user = op.user ?? root.user;
  return {
    ...(user === undefined ? {} : { user }),
    hosts: op.hosts,
    ...(op.hostname === undefined ? {} : { hostname: op.hostname }),
    network: op.network,
    insecure: op.insecure,
    readonly: op.readonly,
    ulimits: op.ulimits,
    limits: limitsOf(op.resources ?? {}),
    ...(op.timeout === undefined ? {} : { timeout: milliseconds(op.timeout) }),
    retries: op.retry?.count ?? 0,
  };
}

function limitsOf({ memory, cpuQuota, cpuPeriod = 100_000 }: ResourceLimits): WorkloadProcess["limits"] {
  return {
    ...(memory === undefined ? {} : { memory }),
    ...(cpuQuota === undefined ? {} : { cpus: Math.round((cpuQuota / cpuPeriod) * 1000) / 1000 }),
  };
}

function tellUnsaid(op: ExecOp, told: ProcessTold): void {
  const problem = telling(op, "target-step", told.problem);
  const loss = telling(op, "target-loss", told.loss);
  if (op.stdin !== undefined)
    problem("stdin", "A process of another system reads nothing from its stdin", "Write it into the script, or mount it as a file");
  if (op.devices.length > 0)
    problem("devices", "Devices of this machine are not there in another system", "Leave the component out of the target");
  if (op.validExitCodes.some((code) => code !== 0)) {
    problem(
      "validExitCodes",
      "Another system takes every exit code but 0 for a failure",
      "End the script with exit code 0 where it succeeded",
    );
  }
  if (op.cgroupParent !== undefined) loss("cgroupParent", "Another system chooses the control group itself");
  const { cpuShares, cpusetCpus, cpusetMems, memorySwap } = op.resources ?? {};
  if ([cpuShares, cpusetCpus, cpusetMems, memorySwap].some((one) => one !== undefined)) {
    loss("resources", "Only memory and cpuQuota of the limits hold in another system");
  }
}
