// What the page of a graph knows besides the drawing. Written into the page by Node, read by the page's script.

/** All of it. */
export interface PageData {
  readonly title: string;
  /** By step number, from 1; steps that are not drawn are here, too. */
  readonly steps: readonly PageStep[];
  /** In the order of the boxes of the drawing. */
  readonly boxes: readonly PageBox[];
  readonly run?: PageRun;
  /** What a row of a box is: a step of its component (without it), or a line about a component, or about a source or node. */
  readonly level?: "components" | "data";
}

export interface PageStep {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly component: string;
  readonly inputs: readonly number[];
  /** `file:line:column` of the op. */
  readonly at?: string;
  readonly source?: Excerpt;
  readonly digest?: string;
  readonly platform?: string;
  /** The fields of the LLB op, as indented JSON; of a component the words of its steps, of a node its command. */
  readonly fields?: string;
  /** Index of its step in the run. */
  readonly ran?: number;
}

/** Some lines of a file. */
export interface Excerpt {
  /** Number of the first line. */
  readonly first: number;
  /** The line that is meant. */
  readonly line: number;
  readonly lines: readonly string[];
}

export interface PageBox {
  readonly path: string;
  /** What it is, in a word. */
  readonly sort: string;
  readonly title: string;
  readonly doc?: string;
  readonly at?: string;
  readonly needs: readonly string[];
  readonly steps: readonly number[];
}

/** Times are milliseconds since 1970. */
export interface PageRun {
  readonly began: number;
  readonly ended: number;
  readonly outcome?: string;
  readonly passes: readonly (readonly string[])[];
  readonly steps: readonly PageRunStep[];
}

export interface PageRunStep {
  readonly name: string;
  readonly component: string;
  readonly pass: number;
  readonly state: string;
  readonly started?: number;
  readonly completed?: number;
  readonly error?: string;
  readonly log: string;
  readonly cut: number;
  /** Number of its step in the graph; not there for steps of later passes, which the graph does not have yet. */
  readonly step?: number;
}
