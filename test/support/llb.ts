// Makes LLB Definitions by hand for tests of the client, straight from the protocol's messages and without our compiler.
import { createHash } from "node:crypto";
import { Definition, FileAction, Op } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";

/** An op and the ops below it. Every op of these helpers has one output that matters: number 0. */
export interface Node {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly inputs: readonly Node[];
}

type OpShape = Parameters<typeof Op.fromPartial>[0];

const platform = { OS: "linux", Architecture: process.arch === "x64" ? "amd64" : process.arch };

/** Any op over `inputs`. */
export function op(shape: OpShape, inputs: readonly Node[] = []): Node {
  const message = Op.fromPartial({ ...shape, inputs: inputs.map((i) => ({ digest: i.digest, index: 0n })), constraints: {} } as never);
  const bytes = Buffer.from(Op.encode(message).finish());
  return { bytes, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}`, inputs };
}

export function source(identifier: string, attrs: Record<string, string> = {}): Node {
  return op({ op: { $case: "source", value: { identifier, attrs } }, ...(/^(docker|oci)/.test(identifier) ? { platform } : {}) } as never);
}

/** The busybox image of an OCI layout that the session serves as `store`. */
export function layoutImage(store: string, digest: string): Node {
  return source(`oci-layout://${store}/image@${digest}`, { "oci.store": store });
}

export interface ExecShape {
  readonly args: readonly string[];
  readonly root: Node;
  readonly env?: readonly string[];
  /** More mounts as pb.Mount; `from` becomes their input. */
  readonly mounts?: readonly { readonly from?: Node; readonly mount: object }[];
  /** pb.NetMode. */
  readonly network?: number;
}

/** A process; its root filesystem is the output. */
export function exec(shape: ExecShape): Node {
  const inputs = [shape.root];
  const mounts: object[] = [{ input: 0n, dest: "/", output: 0n }];
  for (const { from, mount } of shape.mounts ?? []) {
    if (from !== undefined) inputs.push(from);
    mounts.push({ output: -1n, ...mount, input: from === undefined ? -1n : BigInt(inputs.length - 1) });
  }
  const meta = { args: [...shape.args], env: [...(shape.env ?? ["PATH=/bin"])], cwd: "/", removeMountStubsRecursive: true };
  return op({ op: { $case: "exec", value: { meta, mounts, network: shape.network ?? 0 } }, platform } as never, inputs);
}

/** `sh -c script` in `root`. */
export function shell(root: Node, script: string): Node {
  return exec({ root, args: ["/bin/sh", "-c", script] });
}

/** A chain of file actions on `base` (none: scratch); `from` of an action becomes its second input. */
export function file(base: Node | undefined, actions: readonly { readonly from?: Node; readonly action: object }[]): Node {
  const inputs: Node[] = base === undefined ? [] : [base];
  const indexed = actions.map(({ from, action }) => {
    if (from === undefined) return { action, secondary: -1 };
    if (!inputs.includes(from)) inputs.push(from);
    return { action, secondary: inputs.indexOf(from) };
  });
  const shapes = indexed.map(({ action, secondary }, i) =>
    FileAction.fromPartial({
      input: BigInt(i > 0 ? inputs.length + i - 1 : base === undefined ? -1 : 0),
      secondaryInput: BigInt(secondary),
      output: i === indexed.length - 1 ? 0n : -1n,
      action,
    } as never),
  );
  return op({ op: { $case: "file", value: { actions: shapes } } } as never, inputs);
}

export function mkfile(path: string, data: string | Buffer, mode = 0o644): { action: object } {
  return { action: { $case: "mkfile", value: { path, data: Buffer.from(data as string), mode, timestamp: -1n } } };
}

export function mkdir(path: string): { action: object } {
  return { action: { $case: "mkdir", value: { path, mode: 0o755, makeParents: true, timestamp: -1n } } };
}

/** Copies the contents of `src` in `from` to the directory `dest`. */
export function copy(from: Node, src: string, dest: string): { from: Node; action: object } {
  const value = {
    src,
    dest,
    mode: -1,
    timestamp: -1n,
    dirCopyContents: true,
    createDestPath: true,
    allowWildcard: true,
    allowEmptyWildcard: true,
  };
  return { from, action: { $case: "copy", value } };
}

/** The pb.Definition of a graph, as `buildctl build` reads it. */
export function definition(terminal: Node): Buffer {
  const seen = new Map<string, Buffer>();
  const visit = (node: Node): void => {
    if (seen.has(node.digest)) return;
    for (const input of node.inputs) visit(input);
    seen.set(node.digest, node.bytes);
  };
  visit(terminal);
  const last = Buffer.from(Op.encode(Op.fromPartial({ inputs: [{ digest: terminal.digest, index: 0n }] })).finish());
  return Buffer.from(Definition.encode(Definition.fromPartial({ def: [...seen.values(), last] })).finish());
}
