// Collects what a pass gives back into one tree, made by the last vertex: `values/<n>` and `dirs/<n>/`. All components run for it.
import type { DirOutput, ValueOutput, VerdictOutput } from "../job.ts";
import { copyAction, copyContents } from "../ops/files.ts";
import type { Built, BuiltDir, BuiltValue, BuiltVerdict } from "./built.ts";
import { joinPath } from "./paths.ts";
import type { FileAction, Output, Ref, Vertex, VertexMeta } from "./vertex.ts";
import { buildOrder, inputsOf } from "./walk.ts";

export interface Collected {
  /** Scratch when no component has anything to run. */
  readonly terminal: Ref;
  readonly values: readonly ValueOutput[];
  readonly dirs: readonly DirOutput[];
  readonly verdicts: readonly VerdictOutput[];
}

/** More layers than this make no better errors, and at some number a kernel refuses to stack them. */
const MAX_LAYERS = 32;

/**
 * `built` are the programs of the job's own components and of their inline ops; only these give values and files. `ran`: the steps on this
 * machine have run, so that what they left is brought to the daemon only for somebody who takes it.
 */
export function collect(built: readonly Built[], ran: boolean): Collected {
  const values = built.flatMap(({ program, values }) => values.map((value) => ({ ...value, program })));
  const dirs = built.flatMap(({ dirs }) => dirs);
  const verdicts = built.flatMap(({ program, verdicts }) => verdicts.map((verdict) => ({ ...verdict, program })));
  const leaves = findLeaves(built, [...values, ...verdicts, ...dirs]).filter(({ vertex }) => !ran || !isLeftByHost(vertex));
  const terminal = collectDirs(collectValues(values, verdicts, leaves, dirs.length > 0), dirs);
  return {
    terminal,
    values: values.flatMap(({ op, format, program }, n) =>
      program.places.map((path) => ({ file: `values/${n}`, path, format, at: op.place.at })),
    ),
    dirs: dirs.map(({ op, dest, exact }, n) => ({ prefix: `dirs/${n}/`, dest, exact, path: op.place.path, at: op.place.at })),
    verdicts: verdicts.map(({ op, program }, n) => ({
      file: verdictFile(n),
      path: op.part === undefined ? op.place.path : joinPath(program.component, op.part),
      at: op.place.at,
    })),
  };
}

/**
 * Filesystems that nothing else in the graph needs. They are inputs that no action reads: the daemon makes them, and no file is looked
 * at. (A copy that may match nothing would do too, but walks the whole tree.)
 */
function findLeaves(built: readonly Built[], gives: readonly { readonly from: Ref }[]): Output[] {
  const candidates = built.flatMap(({ state, steps }) => [...steps, ...(state.fs === null ? [] : [state.fs])]);
  const given = gives.map(({ from }) => from);
  const needed = new Set(given.filter((ref) => ref !== null).map((ref) => ref.vertex));
  for (const vertex of buildOrder([...candidates, ...given])) for (const input of inputsOf(vertex)) needed.add(input.vertex);
  const leaves = new Map(candidates.filter(({ vertex }) => !needed.has(vertex)).map((output) => [output.vertex, output]));
  return [...leaves.values()];
}

/** The files that a step on this machine left, as they are. */
function isLeftByHost(vertex: Vertex): boolean {
  if (vertex.kind === "host") return true;
  const inputs = vertex.kind === "file" ? inputsOf(vertex) : [];
  return inputs.length > 0 && inputs.every((input) => input.vertex.kind === "host");
}

const collecting: VertexMeta = { name: "collect results", component: "", at: [] };

/** Beside the values, whose names are numbers. */
function verdictFile(n: number): string {
  return `values/verdict-${n}`;
}

function collectValues(values: readonly BuiltValue[], verdicts: readonly BuiltVerdict[], leaves: readonly Output[], more: boolean): Ref {
  if (values.length === 0 && verdicts.length === 0 && leaves.length === 0) return null;
  const files = [
    ...values.map(({ from }, n) => [from, `/values/${n}`] as const),
    ...verdicts.map(({ from }, n) => [from, `/${verdictFile(n)}`] as const),
  ];
  const copies = files.map(([from, file]) => copyAction(from, "/value", file, { createDestPath: true }));
  // A file op needs an action; the receiver has no use for the directory when it is empty.
  const actions: readonly FileAction[] = copies.length > 0 ? copies : [{ kind: "mkdir", path: "/values", mode: 0o755, makeParents: true }];
  const meta = more ? { ...collecting, name: "collect values" } : collecting;
  return { vertex: { kind: "file", base: null, actions, ...(leaves.length > 0 ? { also: leaves } : {}), meta }, index: 0 };
}

/** Each directory in a vertex of its own on top of the last: files are copied once, and a missing one is blamed on its own line. */
function collectDirs(base: Ref, dirs: readonly BuiltDir[]): Ref {
  const perLayer = Math.ceil(dirs.length / MAX_LAYERS);
  let terminal = base;
  for (let first = 0; first < dirs.length; first += perLayer) {
    const layer = dirs.slice(first, first + perLayer);
    const actions = layer.map((dir, i) => copyContents(dir.from, dir.src, `/dirs/${first + i}/`));
    const meta = perLayer === 1 ? (layer[0]?.meta ?? collecting) : { ...collecting, at: layer.flatMap((dir) => dir.meta.at) };
    terminal = { vertex: { kind: "file", base: terminal, actions, meta }, index: 0 };
  }
  return terminal;
}
