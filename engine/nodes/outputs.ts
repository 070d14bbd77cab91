// What nodes gave, on its way to the remotes of their outputs.
import { pushOpen, type Settled } from "../pushing/waiting.ts";
import type { Data } from "../sources/open.ts";
import type { PlaceScope } from "../sources/versions.ts";
import { givenBy } from "./graph.ts";
import type { Node } from "./node.ts";

/** What waits to be pushed to a node's outputs, whoever made it. */
export async function pushOutputs(node: Node, { sources, store }: Data, scope: PlaceScope): Promise<readonly Settled[]> {
  const done: Settled[] = [];
  for (const name of givenBy(node)) {
    const source = sources.find((one) => one.name === name);
    if (source !== undefined) done.push(...(await pushOpen(source, { scope, store })));
  }
  return done;
}
