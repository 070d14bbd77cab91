// A graph as it is drawn: which component and which step stands where, and the lines between them. Lengths are CSS pixels.

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rectangle extends Point {
  readonly width: number;
  readonly height: number;
}

/** One step in the box of its component. */
export interface DrawnStep extends Rectangle {
  readonly id: number;
  readonly kind: string;
  /** The op in words, cut to the width of the box. */
  readonly label: string;
  /** The op in words. */
  readonly name: string;
}

/** The box of one component, with its steps. */
export interface DrawnGroup extends Rectangle {
  /** CUE path; "" for the root and for what dagger adds itself. */
  readonly path: string;
  readonly title: string;
  /** It does not run with the rest. */
  readonly faint: boolean;
  /** It works on others. */
  readonly round: boolean;
  readonly steps: readonly DrawnStep[];
}

/** A line between two steps of one component, or between the boxes of two components. */
export interface DrawnEdge extends LineStyle {
  /** Steps, or for lines between boxes the indexes of these. */
  readonly from: number;
  readonly to: number;
  readonly points: readonly Point[];
  /** Middle of the label. */
  readonly labelAt?: Point;
}

export interface LineStyle {
  /** Without it files go along the line. */
  readonly kind?: LineKind;
  /** A few words beside the line. */
  readonly label?: string;
  /** Other lines say already that one comes after the other. */
  readonly implied?: boolean;
}

/**
 * `value`: only a value goes along. `hook`: one follows the other when something has become of it. `part`: one lies in the other. `link`: somebody
 * said that one comes from the other.
 */
export type LineKind = "value" | "hook" | "part" | "link";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly groups: readonly DrawnGroup[];
  /** Between steps of one component. */
  readonly inner: readonly DrawnEdge[];
  /** Between components. */
  readonly outer: readonly DrawnEdge[];
}

/** Sizes that the layout and the pen share. A character is as wide as one of a monospace font of 12 px. */
export const sizes = { character: 7.25, row: 28, title: 30, padding: 12, longest: 46, note: 34, margin: 24 } as const;

/** At most `length` characters, its end left out. */
export function shorten(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  const characters = [...line];
  return characters.length <= length
    ? line
    : `${characters
        .slice(0, length - 1)
        .join("")
        .trimEnd()}…`;
}
