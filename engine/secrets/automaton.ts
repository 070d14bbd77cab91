// Finds many byte patterns in one walk over a text (Aho-Corasick). Built breadth first, so that a node's children stand side by side:
// some ten bytes per node, and tables only for the nodes that ordinary text visits.

/** Up to here a partial match does not go on over the end of a line. */
const minWrapped = 8;
const lineFeed = 10;
const carriageReturn = 13;

/** A walk's state is a node; 0 is the root. */
export class Automaton {
  /** Per node below `tabled`, the next node for every byte. */
  readonly #table: Int32Array;
  readonly #tabled: number;
  /** The children of node n are `children[n]` to `children[n + 1]`. */
  readonly #children: Int32Array;
  readonly #byte: Uint8Array;
  readonly #fail: Int32Array;
  readonly #depth: Uint8Array;
  readonly #match: Uint8Array;

  /** `patterns` are Latin-1 texts of 1 to 255 characters. */
  constructor(patterns: Iterable<string>) {
    const tree = plant([...new Set([...patterns].map(folded))].sort());
    this.#children = tree.children;
    this.#byte = tree.byte;
    this.#depth = tree.depth;
    this.#match = tree.match;
    const deep = this.#depth.findIndex((depth) => depth > 1);
    this.#tabled = deep === -1 ? tree.size : deep;
    this.#table = this.#tables();
    this.#fail = failsOf(tree, this.#table, this.#tabled);
  }

  /** Where the walk is after one more byte. */
  next(node: number, byte: number): number {
    return node < this.#tabled ? (this.#table[(node << 8) | byte] ?? 0) : this.#search(node, foldedByte(byte));
  }

  /** The table for the root alone: what leads nowhere from there is 0. */
  get start(): Int32Array {
    return this.#table;
  }

  /** Length of the longest pattern that ends here, or 0. */
  match(node: number): number {
    return this.#match[node] ?? 0;
  }

  /** How many bytes back the longest pattern starts that may still come. */
  depth(node: number): number {
    return this.#depth[node] ?? 0;
  }

  /** Whether a byte is a line's end that does not end a match, as where base64 is cut into lines. */
  wraps(node: number, byte: number): boolean {
    if (byte !== lineFeed && byte !== carriageReturn) return false;
    return (this.#depth[node] ?? 0) >= minWrapped && this.#child(node, byte) === -1;
  }

  /** Where the walk goes on after a match: a leaf waits for nothing more. */
  settled(node: number): number {
    return this.#children[node] === this.#children[node + 1] ? (this.#fail[node] ?? 0) : node;
  }

  #search(node: number, byte: number): number {
    let from = node;
    for (; from >= this.#tabled; from = this.#fail[from] ?? 0) {
      const child = this.#child(from, byte);
      if (child !== -1) return child;
    }
    return this.#table[(from << 8) | byte] ?? 0;
  }

  #child(node: number, byte: number): number {
    const end = this.#children[node + 1] ?? 0;
    for (let child = this.#children[node] ?? 0; child < end; child++) if (this.#byte[child] === byte) return child;
    return -1;
  }

  /** Of the root and its children, whose own children are all there is to know. */
  #tables(): Int32Array {
    const table = new Int32Array(this.#tabled * 256);
    for (let node = 0; node < this.#tabled; node++) {
      for (let byte = 0; byte < 256; byte++) {
        const child = this.#child(node, foldedByte(byte));
        table[(node << 8) | byte] = child !== -1 ? child : node === 0 ? 0 : (table[byte] ?? 0);
      }
    }
    return table;
  }
}

interface Tree {
  readonly size: number;
  readonly children: Int32Array;
  readonly byte: Uint8Array;
  readonly depth: Uint8Array;
  readonly match: Uint8Array;
}

/** For every node the longest other one that its path ends with; a pattern that ends there ends here, too. Writes `tree.match`. */
function failsOf({ size, children, byte, match }: Tree, table: Int32Array, tabled: number): Int32Array {
  const fail = new Int32Array(size);
  // Nodes are in the order of their depth: what is shallower is complete.
  for (let node = 0; node < size; node++) {
    const end = children[node + 1] ?? 0;
    for (let child = children[node] ?? 0; child < end; child++) {
      if (node === 0) continue;
      const wanted = byte[child] ?? 0;
      let found = -1;
      let from = fail[node] ?? 0;
      for (; from >= tabled && found === -1; from = fail[from] ?? 0) {
        const last = children[from + 1] ?? 0;
        for (let one = children[from] ?? 0; one < last; one++) if (byte[one] === wanted) found = one;
      }
      if (found === -1) found = table[(from << 8) | wanted] ?? 0;
      fail[child] = found;
      if (match[child] === 0) match[child] = match[found] ?? 0;
    }
  }
  return fail;
}

/** A node is a run of the sorted patterns that begin alike. */
function plant(patterns: readonly string[]): Tree {
  const most = patterns.reduce((sum, { length }) => sum + length, 1);
  // Side by side, as they are read: pattern n is from `starts[n]` to `starts[n + 1]`.
  const text = Buffer.from(patterns.join(""), "latin1");
  const starts = new Int32Array(patterns.length + 1);
  for (const [index, { length }] of patterns.entries()) starts[index + 1] = (starts[index] ?? 0) + length;
  const [from, to] = [new Int32Array(most), new Int32Array(most)];
  const tree = { children: new Int32Array(most + 1), byte: new Uint8Array(most), depth: new Uint8Array(most), match: new Uint8Array(most) };
  to[0] = patterns.length;
  let size = 1;
  for (let node = 0; node < size; node++) {
    tree.children[node] = size;
    const depth = tree.depth[node] ?? 0;
    const end = to[node] ?? 0;
    for (let first = from[node] ?? 0; first < end; ) {
      const at = (starts[first] ?? 0) + depth;
      let next = first + 1;
      // Of patterns that begin alike, the one that ends here is the first.
      if (at === starts[next]) tree.match[node] = depth;
      else {
        const byte = text[at] ?? 0;
        // One that is longer than this has a byte there: only the first can end.
        while (next < end && text[(starts[next] ?? 0) + depth] === byte) next++;
        tree.byte[size] = byte;
        tree.depth[size] = depth + 1;
        from[size] = first;
        to[size] = next;
        size++;
      }
      first = next;
    }
  }
  tree.children[size] = size;
  const { children, byte, depth, match } = tree;
  return {
    size,
    children: children.slice(0, size + 1),
    byte: byte.slice(0, size),
    depth: depth.slice(0, size),
    match: match.slice(0, size),
  };
}

/** base64url has its own letters for two of base64's. */
function folded(pattern: string): string {
  return pattern.replaceAll("-", "+").replaceAll("_", "/");
}

function foldedByte(byte: number): number {
  return byte === 0x2d ? 0x2b : byte === 0x5f ? 0x2f : byte;
}
