// pb.Source: which lines of which CUE files an op stands for, so that a failed solve comes back naming them.
import type { Location, Source } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { Position } from "../diagnostic.ts";

/**
 * Collects locations per digest. Only file names and positions are sent, never text: a daemon puts the whole source info into the
 * trailers of a failed call, and Node cannot receive trailers beyond 64 KiB. `character` is the column as in Position: from 1.
 */
export class SourceMap {
  readonly #files = new Map<string, number>();
  readonly #locations = new Map<string, Location[]>();

  /** Every op has an entry, also one without a line. */
  add(digest: string, positions: readonly Position[]): void {
    const known = this.#locations.get(digest) ?? [];
    this.#locations.set(digest, known);
    for (const { file, line, column } of positions) {
      const place = { line, character: column };
      known.push({ sourceIndex: this.#index(file), ranges: [{ start: place, end: place }] });
    }
  }

  toSource(): Source {
    const locations = Object.fromEntries([...this.#locations].map(([digest, list]) => [digest, { locations: list }]));
    const infos = [...this.#files.keys()].map((filename) => ({
      filename,
      data: Buffer.alloc(0),
      definition: undefined,
      language: languageOf(filename),
    }));
    return { locations, infos };
  }

  #index(file: string): number {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    this.#files.set(file, this.#files.size);
    return this.#files.size - 1;
  }
}

function languageOf(filename: string): string {
  return filename.endsWith(".cue") ? "CUE" : "";
}
