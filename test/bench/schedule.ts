// What dagger adds to each node of a graph of 5,000: in one pass beside buildctl on the same LLB, and on this machine beside starting the same processes.
import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { builtBinary } from "../support/buildkitd.ts";
import { buildctlArgs } from "./buildctl.ts";
import { hostNodes, nodes } from "./configs.ts";
import type { Sample } from "./measure.ts";
import { type Bound, type Section, seconds, table } from "./report.ts";
import { dagger, samplesInTurns, type World } from "./world.ts";

const NODES = 5000;
/** Milliseconds for each node. */
const OVERHEAD = 1;

/** Starts as many processes one after the other, so many side by side, and waits for each. */
const spawning = `
const { spawn } = require("node:child_process");
let left = ${NODES};
const next = () => { if (left-- > 0) spawn("true", { stdio: ["ignore", "pipe", "pipe"], detached: true }).on("close", next); };
for (let at = 0; at < ${availableParallelism()}; at++) next();
`;

export async function benchSchedule({ dir, env, address }: World, rounds: number): Promise<Section> {
  const containers = nodes(join(dir, "schedule"), NODES);
  const hosts = hostNodes(join(dir, "schedule-hosts"), NODES);
  execFileSync(dagger, ["up", containers, "--progress", "quiet"], { env });
  const definition = execFileSync(dagger, ["llb", containers, "--format", "raw"], { env, maxBuffer: 1 << 28 });
  const args = buildctlArgs(definition, { dir: containers, dataDir: join(dir, "data"), out: join(dir, "schedule-out") });
  const [cached = [], buildctl = []] = await samplesInTurns(rounds, [
    { program: dagger, args: ["up", containers, "--progress", "quiet"], env },
    { program: builtBinary("buildctl"), args: ["--addr", address, ...args], env, stdin: definition },
  ]);
  const [local = [], spawned = []] = await samplesInTurns(rounds, [
    { program: dagger, args: ["up", hosts, "--allow-host", "--progress", "quiet"], env },
    { program: process.execPath, args: ["-e", spawning], env },
  ]);
  const [pass, host] = [perNode(cached, buildctl), perNode(local, spawned)];
  const rows = [
    [`${NODES} nodes in one pass, all cached`, ...pass.columns],
    [`${NODES} processes of this machine`, ...host.columns],
  ];
  const bounds: Bound[] = [
    { what: `overhead for each of ${NODES} cached nodes over buildctl, ms`, figure: pass.overhead, most: OVERHEAD, strict: true },
    { what: `overhead for each of ${NODES} processes over starting them, ms`, figure: host.overhead, most: OVERHEAD, strict: true },
  ];
  const text = `Each component uses the one before, ten in a row; ${rounds} rounds, in turns. The overhead is what dagger needs beyond the other, of one round, divided by the number
of nodes: the median of all rounds. In one pass the other is buildctl with the same LLB, which neither reads CUE nor compiles; it may be below 0, since buildctl sends
the graph with more words. On this machine the other is a Node script that starts \`true\` as often, as many at the same time. CPU is that of dagger's process, without the daemon.

${table(["", "dagger s", "other s", "overhead ms/node", "CPU ms/node"], rows)}`;
  return { title: "Scheduling", text, bounds };
}

function perNode(ours: readonly Sample[], theirs: readonly Sample[]): { readonly overhead: number; readonly columns: readonly string[] } {
  const overhead = middle(ours.map(({ wall }, round) => ((wall - (theirs[round]?.wall ?? Number.NaN)) * 1000) / NODES));
  const [a, b] = [middle(ours.map(({ wall }) => wall)), middle(theirs.map(({ wall }) => wall))];
  const cpu = middle(ours.map((one) => (one.cpu * 1000) / NODES));
  return { overhead, columns: [seconds(a), seconds(b), overhead.toFixed(2), cpu.toFixed(2)] };
}

function middle(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
