// Which tasks make a Job: those that hand things on to each other, or come after each other. See docs/decisions/targets.md.
import { withNeeds } from "../needs.ts";
import type { TargetNode } from "../target.ts";

/** Tasks of one Job, each after its needs, and the one that it is known by: the last of them. */
export interface JobPlan {
  readonly tasks: readonly TargetNode[];
  readonly last: TargetNode;
}

/** What runs by itself, connected by connected; and each task that something else makes run, with all that it needs. */
export function planJobs(nodes: readonly TargetNode[]): JobPlan[] {
  const tasks = nodes.filter(({ kind }) => kind === "task");
  const usual = withNeeds(
    tasks.filter(({ trigger }) => trigger.kind === "auto"),
    tasks,
  );
  const groups = connected(usual).map((group) => ({ tasks: group, last: group.at(-1) }));
  const triggered = tasks.filter((task) => !usual.includes(task)).map((task) => ({ tasks: withNeeds([task], tasks), last: task }));
  return [...groups, ...triggered].flatMap(({ tasks: of, last }) => (last === undefined ? [] : [{ tasks: of, last }]));
}

/** Groups of tasks of which none needs one of another group, in the order of their first tasks. */
function connected(tasks: readonly TargetNode[]): TargetNode[][] {
  const groups: TargetNode[][] = [];
  for (const task of tasks) {
    const met = groups.filter((group) => group.some((one) => task.needs.includes(one)));
    const [first] = met;
    if (first === undefined) {
      groups.push([task]);
      continue;
    }
    const joined = new Set([...met.flat(), task]);
    first.splice(0, first.length, ...tasks.filter((one) => joined.has(one)));
    for (const other of met.slice(1)) groups.splice(groups.indexOf(other), 1);
  }
  return groups;
}
