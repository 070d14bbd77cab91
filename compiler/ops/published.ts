// Ports of a container that are reached at ports of its machine, as container engines take them: `[ADDRESS:]PORT[-PORT]:PORT[-PORT][/PROTOCOL]`.

import { wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { name } from "./types.ts";

export interface PublishedPort {
  /** Of the machine; undefined: all that it has. An IPv6 one is in brackets. */
  readonly address?: string;
  /** Port of the machine. */
  readonly machine: number;
  /** Port of the container. */
  readonly container: number;
  readonly protocol: "tcp" | "udp" | "sctp";
}

const form = /^(?:(\S+):)?(\d{1,5})(?:-(\d{1,5}))?:(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/;

/** More of them in one text are a mistake. */
const most = 1000;

export const published: FieldType<string> = {
  words: "a port such as 8080:80",
  read: (field, context) => {
    const port = name.read(field, context);
    if (port === undefined || publishedPorts(port).length > 0) return port;
    return wrongType(field, published.words, context, "Write PORT:PORT, that of the machine first, or ADDRESS:PORT:PORT");
  },
};

/** Each port of the container with that of the machine; none when the text says no ports. */
export function publishedPorts(text: string): PublishedPort[] {
  const [, address, machine, machineEnd = machine, container, containerEnd = container, protocol = "tcp"] = form.exec(text) ?? [];
  const [from, last, to, end] = [machine, machineEnd, container, containerEnd].map(Number) as [number, number, number, number];
  const count = end - to + 1;
  // Of several ports of the machine, an engine takes one for a single port of the container.
  const fits = last - from + 1 === count || (count === 1 && last >= from);
  if (!(fits && count >= 1 && count <= most && Math.max(last, end) <= 65_535)) return [];
  return Array.from({ length: count }, (_, index) => ({
    ...(address === undefined ? {} : { address }),
    machine: from + index,
    container: to + index,
    protocol: protocol as PublishedPort["protocol"],
  }));
}
