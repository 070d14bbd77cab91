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
  const isUsual = new Set(usual);
  const groups = connected(usual).map((group) => ({ tasks: group, last: group.at(-1) }));
  const triggered = tasks.filter((task) => !isUsual.has(task)).map((task) => ({ tasks: withNeeds([task], tasks), last: task }));
  return [...groups, ...triggered].flatMap(({ tasks: of, last }) => (last === undefined ? [] : [{ tasks: of, last }]));
}

/** Groups of tasks of which none needs one of another group, in the order of their first tasks; each task is after its needs. */
function connected(tasks: readonly TargetNode[]): TargetNode[][] {
  const among = new Set(tasks);
  const neighbours = new Map<TargetNode, TargetNode[]>(tasks.map((task) => [task, []]));
  for (const task of tasks) {
    for (const need of task.needs.filter((one) => among.has(one))) {
      neighbours.get(task)?.push(need);
      neighbours.get(need)?.push(task);
    }
  }
  const groupOf = new Map<TargetNode, TargetNode[]>();
  const groups: TargetNode[][] = [];
  for (const task of tasks) {
    if (!groupOf.has(task)) {
      const group: TargetNode[] = [];
      groups.push(group);
      const open = [task];
      for (let one = open.pop(); one !== undefined; one = open.pop()) {
        if (groupOf.has(one)) continue;
        groupOf.set(one, group);
        open.push(...(neighbours.get(one) ?? []));
      }
    }
    groupOf.get(task)?.push(task);
  }
  return groups;
}
