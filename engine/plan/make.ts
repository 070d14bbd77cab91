// dagger plan: compiles a config, and tells what a run of it would do; with a file to write, keeps it for `up --plan`.
import { randomUUID } from "node:crypto";
import { resolve } from "node:path";
import { type Job, UserError } from "../../compiler/index.ts";
import { type CompileOnlyRequest, compileOnly } from "../config/compile-only.ts";
import { loadConfig } from "../config/config.ts";
import { rootOf } from "../workspace/find.ts";
import { makePlan, type Plan } from "./plan.ts";
import { readRecord } from "./record.ts";
import { lookAround, savePlan } from "./saved.ts";

export interface PlanRequest extends CompileOnlyRequest {
  /** File with the progress of a run (JSON lines): tells what was in the cache then. */
  readonly run?: string;
  /** File to write the plan to. */
  readonly out?: string;
  /** What a run would be given, as flags say it. */
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
}

/** Tells what a run would do; nothing is executed. Throws UserError: 2 for anything wrong in the config or a file, 3 without a daemon that is needed. */
export async function plan(request: PlanRequest): Promise<Plan> {
  const { cwd, targets, inputs, tags = [], injectVars = false, out } = request;
  const record = request.run === undefined ? undefined : await readRecord(request.run, cwd);
  const config = await loadConfig(request);
  try {
    const images = new Map<string, string>();
    const run = randomUUID();
    const job = await compileOnly(config, request, { run, onImage: (ref, digest) => void images.set(ref, digest) });
    if (out !== undefined) {
      const absolute = inputs.map((input) =>
        input.replace(/^([^=]*=@)(.+)$/, (_, start: string, file: string) => start + resolve(cwd, file)),
      );
      const { stack } = request;
      const planned = {
        ...{ dir: resolve(cwd, request.dir), targets, inputs: absolute, tags, injectVars },
        ...(stack === undefined ? {} : { stack: { stack: stack.stack, environment: stack.environment, root: stack.root } }),
      };
      await savePlan(out, cwd, {
        format: 2,
        request: planned,
        world: lookAround({ settings: stack?.settings, config, job, images, run, cwd }),
      });
    }
    const { secrets = [], ssh = [] } = request;
    const allowHost = await isAgreed(job, request);
    return makePlan({ job, run, own: config.own, given: { secrets, ssh, allowHost }, ...(record === undefined ? {} : { record }) });
  } finally {
    config.close();
  }
}

/** Whether a run may start the processes that the job has on this machine. */
async function isAgreed({ onHost }: Job, request: PlanRequest): Promise<boolean> {
  if (onHost.length === 0) return true;
  const { requireConsent } = await import("../hosts/consent.ts");
  const { env, cwd } = request;
  const agreed = requireConsent(onHost, { env, cwd, root: rootOf(request) });
  return agreed.then(
    () => true,
    (error: unknown) => {
      if (error instanceof UserError) return false;
      throw error;
    },
  );
}
