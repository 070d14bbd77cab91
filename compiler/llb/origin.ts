// Where a vertex takes its content from, when that is the network.
import { Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Vertex } from "../graph/vertex.ts";

export interface Origin {
  readonly kind: "image" | "git" | "http";
  /** With its port, where one is given: `docker.io`, `127.0.0.1:5000`. */
  readonly host: string;
}

/** Undefined for all that is made from other vertices, or comes from the client. */
export function originOf(vertex: Vertex): Origin | undefined {
  const [, scheme = "", rest = ""] = /^(docker-image|git|https?):\/\/(.*)$/s.exec(identifierOf(vertex)) ?? [];
  if (scheme === "") return undefined;
  const [first = ""] = rest.split(/[/?#]/);
  const host = first.slice(first.lastIndexOf("@") + 1);
  return { kind: scheme === "docker-image" ? "image" : scheme === "git" ? "git" : "http", host };
}

function identifierOf(vertex: Vertex): string {
  return sourceOf(vertex)?.identifier ?? "";
}

/** What a vertex fetches or uploads, also one that a frontend made; undefined for any other. */
export function sourceOf(vertex: Vertex): { readonly identifier: string; readonly attrs: Readonly<Record<string, string>> } | undefined {
  if (vertex.kind === "source") return vertex;
  if (vertex.kind !== "raw" || vertex.op !== "source") return undefined;
  const { op } = Op.decode(vertex.bytes);
  return op?.$case === "source" ? op.value : undefined;
}
