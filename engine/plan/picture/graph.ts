// Makes pictures of a job's graph, of its steps or its components: SVG, and a page with everything about it.
import { describeDefinition, type GraphFormat, type Job, type NumberedGraph, numberGraph, type Vertex } from "../../../compiler/index.ts";
import type { RecordedStep, RunRecord } from "../record.ts";
import { componentGraph } from "./components.ts";
import { excerpts, showPlace } from "./excerpts.ts";
import { layOut, stepGroups } from "./layout.ts";
import { matchSteps } from "./match.ts";
import { componentData, sketchComponents } from "./notes.ts";
import { toPage } from "./page.ts";
import type { PageData, PageRun, PageStep } from "./page-data.ts";
import { drawSketch } from "./sketch/draw.ts";
import { marksOf } from "./sketch/rows.ts";
import { toSvg } from "./svg.ts";

export interface PictureOptions {
  /** What the config is called. */
  readonly title: string;
  /** Files of positions are relative to it. */
  readonly cwd: string;
  /** A run whose states, times and logs are to be seen. */
  readonly record?: RunRecord;
}

/** The graph's steps as text of an SVG file or of an HTML page that needs nothing else. */
export async function drawSteps(job: Job, format: "svg" | "html", { title, cwd, record }: PictureOptions): Promise<string> {
  const { data, digests, described } = readGraph(job);
  const marks = record === undefined ? new Map<number, RecordedStep>() : matchSteps(data.steps, digests, record);
  const drawing = await layOut(stepGroups(data), { timed: record !== undefined });
  if (format === "svg") return toSvg(drawing, title, marks);
  const components = new Map(data.components.map((component) => [component.path, component]));
  const excerpt = excerpts(cwd);
  const ran = new Map(record?.steps.map((step, index) => [step, index]));
  const steps = data.steps.map((step): PageStep => {
    const index = ran.get(marks.get(step.id) as RecordedStep);
    const { at, ...rest } = step;
    return { ...rest, ...excerpt(at), ...described.get(digests.get(step.id) ?? ""), ...(index === undefined ? {} : { ran: index }) };
  });
  const boxes = drawing.groups.map(({ path, title, steps }) => {
    const { doc, at, needs = [] } = components.get(path) ?? {};
    return {
      path,
      title,
      sort: "component",
      needs,
      steps: steps.map(({ id }) => id),
      ...(doc === undefined ? {} : { doc }),
      ...(at === undefined ? {} : { at: showPlace(at) }),
    };
  });
  const numbers = new Map([...marks].map(([id, step]) => [step, id]));
  const page: PageData = { title, steps, boxes, ...(record === undefined ? {} : { run: toRun(record, numbers) }) };
  return toPage(page, drawing, marks);
}

/** The graph's components, as text of any format. */
export async function drawComponents(job: Job, format: GraphFormat | "svg" | "html", options: PictureOptions): Promise<string> {
  const { cwd, record } = options;
  const { data, digests, vertices } = readGraph(job);
  const graph = componentGraph({ job, steps: data.steps, vertices, digests, cwd });
  if (format === "json") return `${JSON.stringify(componentData(graph), null, 2)}\n`;
  const names = new Map(data.steps.map(({ id, name }) => [id, name]));
  const sketch = sketchComponents(graph, (id) => names.get(id) ?? "");
  const found = record === undefined ? new Map<number, RecordedStep>() : matchSteps(data.steps, digests, record);
  const { marks, rowOf } = marksOf(graph, sketch, found);
  const numbers = new Map([...found].flatMap(([id, step]) => (rowOf.has(id) ? [[step, rowOf.get(id) as number] as const] : [])));
  const run = record === undefined ? {} : { run: toRun(record, numbers) };
  return drawSketch(sketch, format, { ...options, level: "components", marks, ...run });
}

/** The graph in numbers: its steps, what each is, and what the daemon calls it. */
function readGraph(job: Job): {
  readonly data: NumberedGraph["data"];
  readonly vertices: readonly Vertex[];
  /** By the number of the step. */
  readonly digests: ReadonlyMap<number, string>;
  readonly described: ReturnType<typeof describeSteps>["described"];
} {
  const numbered = numberGraph(job.graph);
  const { vertices } = numbered;
  const { digests: byVertex, described } = describeSteps(job);
  const digests = new Map(
    vertices.flatMap((vertex, index) => {
      const digest = byVertex.get(vertex);
      return digest === undefined ? [] : [[index + 1, digest] as const];
    }),
  );
  return { data: withoutCollecting(numbered), vertices, digests, described };
}

/** What brings results together has lines to everything: only what it says of a component itself is shown. */
function withoutCollecting({ data, vertices, collecting }: NumberedGraph): NumberedGraph["data"] {
  const ids = new Set(vertices.flatMap((vertex, index) => (collecting.has(vertex) ? [index + 1] : [])));
  return { ...data, steps: data.steps.map((step) => ({ ...step, inputs: step.inputs.filter((input) => !ids.has(input)) })) };
}

/** The digest of each vertex, and what its op says, by digest. */
function describeSteps(job: Job): {
  readonly digests: ReadonlyMap<object, string>;
  readonly described: ReadonlyMap<string, Pick<PageStep, "digest" | "platform" | "fields">>;
} {
  const definitions = [job.definition, ...job.images.flatMap(({ platforms }) => platforms.map(({ definition }) => definition))];
  const digests = new Map<object, string>();
  const described = new Map<string, Pick<PageStep, "digest" | "platform" | "fields">>();
  for (const definition of definitions) {
    for (const { digest, vertices } of definition.nodes) for (const vertex of vertices) digests.set(vertex, digest);
    for (const { digest, platform, fields } of describeDefinition(definition)) {
      described.set(digest, { digest, fields: JSON.stringify(fields, null, 2), ...(platform === "" ? {} : { platform }) });
    }
  }
  return { digests, described };
}

/** `numbers`: the number of the row that shows a step of the run. */
function toRun({ began, ended, outcome, passes, steps }: RunRecord, numbers: ReadonlyMap<RecordedStep, number>): PageRun {
  return {
    began,
    ended,
    passes,
    ...(outcome === undefined ? {} : { outcome }),
    steps: steps.map((step) => {
      const { digest: _, ...rest } = step;
      const number = numbers.get(step);
      return { ...rest, ...(number === undefined ? {} : { step: number }) };
    }),
  };
}
