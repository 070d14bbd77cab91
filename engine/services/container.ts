// A service in a container, as the process that its supervisor looks after: the engine's own command, which stays with the container.
import { createHash } from "node:crypto";
import type { HostService } from "../../compiler/index.ts";
import { type ContainerPlace, type Engine, removal } from "./engine.ts";
import type { StartRequest } from "./request.ts";

/** What is different where a service runs in a container. */
export interface Contained extends Pick<StartRequest, "args" | "env" | "service"> {
  readonly place: ContainerPlace;
  /** Removes what an earlier life has left. */
  readonly remove: readonly string[];
}

/** Secrets come through the environment of the command, and are on no command line. */
export function contained(request: StartRequest, image: string, engine: Engine): Contained {
  const { service, args, env, secretNames, step, root = "" } = request;
  const name = `dagger-${service.name}-${createHash("sha256").update(root).digest("hex").slice(0, 8)}`;
  const names = step.env.map(([variable]) => variable).filter((variable) => env[variable] !== undefined);
  const given = names.flatMap((variable) => ["--env", secretNames.includes(variable) ? variable : `${variable}=${env[variable] ?? ""}`]);
  const secrets = Object.fromEntries(secretNames.map((variable) => [variable, env[variable] ?? ""]));
  const run = (command: readonly string[], more: readonly string[]): string[] => {
    const [program = "", ...rest] = command;
    const flags = ["--rm", "--workdir", step.dir, ...mounted(service), ...given, ...labels(request), ...more];
    return [engine.program, "run", ...flags, "--entrypoint", program, image, ...rest];
  };
  const inside = (command: readonly string[]): string[] => (command.length === 0 ? [] : run(command, []));
  const { ready } = service;
  const probe = ready?.kind === "command" ? { ...ready, what: [engine.program, "exec", name, ...ready.what] } : ready;
  const place = { engine: engine.program, name, image, ports: service.container?.ports ?? [], env: engine.env };
  return {
    args: run(args, ["--name", name, ...published(service)]),
    env: { ...secrets, ...engine.env },
    service: {
      ...service,
      onStart: inside(service.onStart),
      onExit: inside(service.onExit),
      ...(probe === undefined ? {} : { ready: probe }),
    },
    place,
    remove: removal(place),
  };
}

function mounted({ container }: HostService): string[] {
  const network = container?.network === undefined ? [] : ["--network", container.network];
  return [...network, ...(container?.volumes ?? []).flatMap(([path, what]) => ["--volume", `${what}:${path}`])];
}

function published({ container }: HostService): string[] {
  return (container?.ports ?? []).flatMap((port) => ["--publish", port]);
}

function labels({ service, step, root = "", stack }: StartRequest): string[] {
  const all = {
    service: service.name,
    component: step.component,
    workspace: root,
    ...(stack === undefined ? {} : { stack: stack.stack, environment: stack.environment }),
  };
  return Object.entries(all).flatMap(([key, value]) => ["--label", `dagger.${key}=${value}`]);
}
