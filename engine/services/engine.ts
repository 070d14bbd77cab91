// The container engine of this machine: which one there is, images into it, containers out of it. Its own command line speaks to it.
import { UserError } from "../../compiler/index.ts";
import { type Ended, runCommand } from "../hosts/process.ts";
import type { Surroundings } from "../request.ts";

/** What is kept of a service's container: enough to remove it when nobody looks after it any more. */
export interface ContainerPlace {
  /** The program, such as `docker`. */
  readonly engine: string;
  readonly name: string;
  readonly image: string;
  /** Those of the machine that lead to its own, as engines take them. */
  readonly ports?: readonly string[];
  /** Says which engine is meant. */
  readonly env: Readonly<Record<string, string>>;
}

/** In this order, when none is named. */
const engines = ["docker", "podman", "nerdctl"];

/** Where engines look for their daemons, configs and images. */
const variables =
  /^(PATH|HOME|TMPDIR|DOCKER_\w+|CONTAINER_HOST|CONTAINERS_\w+|CONTAINERD_\w+|NERDCTL_\w+|XDG_(RUNTIME_DIR|CONFIG_HOME|DATA_HOME)|DBUS_SESSION_BUS_ADDRESS)$/;

/** How long an engine may take to say that it is there. Milliseconds. */
const patience = 20_000;

export interface Engine {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

/** DAGGER_CONTAINER_ENGINE, or the first that answers. Throws UserError (3) `no-container-engine`. */
export async function findEngine({ env, cwd }: Pick<Surroundings, "cwd" | "env">, signal: AbortSignal): Promise<Engine> {
  const own = Object.fromEntries(
    Object.entries(env).filter(([name, value]) => variables.test(name) && value !== undefined),
  ) as Engine["env"];
  const wished = env["DAGGER_CONTAINER_ENGINE"] ?? "";
  const tried: string[] = [];
  for (const program of wished === "" ? engines : [wished]) {
    const { ended, said } = await ask({ program, env: own }, ["version"], { cwd, signal, timeout: patience });
    if (ended.code === 0) return { program, env: own };
    tried.push(
      `${program} ${ended.code === 127 ? "is not there" : said.trimEnd().split("\n").at(-1) || `ends with exit code ${ended.code}`}`,
    );
  }
  throw new UserError(3, [
    {
      code: "no-container-engine",
      message: `No container engine answers on this machine: ${tried.join("; ")}`,
      at: [],
      hint: "Install Docker or Podman, start it, or name another with DAGGER_CONTAINER_ENGINE",
    },
  ]);
}

/** Takes the images of an archive in. Throws UserError (3) `container-engine`. */
export async function loadImage(engine: Engine, archive: string, cwd: string, signal: AbortSignal): Promise<void> {
  const { ended, said } = await ask(engine, ["load", "--input", archive], { cwd, signal });
  if (ended.code === 0) return;
  const why = ended.error ?? said.trimEnd().split("\n").at(-1) ?? "";
  const hint = `Look whether \`${engine.program} load\` works, and has room`;
  throw new UserError(3, [
    { code: "container-engine", message: `${engine.program} does not take the image of the service: ${why}`, at: [], hint },
  ]);
}

/** The command line that removes a container, whatever becomes of it. */
export function removal({ engine, name }: Pick<ContainerPlace, "engine" | "name">): string[] {
  return [engine, "rm", "--force", "--volumes", name];
}

/** Removes a container that nobody looks after. */
export async function removeContainer(place: ContainerPlace, cwd: string): Promise<void> {
  await quietly(place, removal(place).slice(1), cwd);
}

/** Removes an image, where no container has it. */
export async function forgetImage(place: ContainerPlace, cwd: string): Promise<void> {
  await quietly(place, ["rmi", place.image], cwd);
}

async function quietly({ engine, env }: ContainerPlace, args: readonly string[], cwd: string): Promise<void> {
  await ask({ program: engine, env }, args, { cwd, signal: new AbortController().signal, timeout: patience });
}

interface Asking {
  readonly cwd: string;
  readonly signal: AbortSignal;
  readonly timeout?: number;
}

async function ask(
  { program, env }: Engine,
  args: readonly string[],
  more: Asking,
): Promise<{ readonly ended: Ended; readonly said: string }> {
  let said = "";
  const onOutput = (_: 1 | 2, data: Uint8Array): void => {
    said = (said + Buffer.from(data).toString("utf8")).slice(-2_000);
  };
  return { ended: await runCommand({ ...more, args: [program, ...args], env, onOutput }), said };
}
