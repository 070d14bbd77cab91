// pb.Source: which lines of which files an op stands for, so that a failed solve comes back naming them.
import type { Location, Source, SourceInfo } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import { Definition as PbDefinition } from "../../proto/gen/github.com/moby/buildkit/solver/pb/ops.ts";
import type { SourceFile, VertexMeta } from "../graph/vertex.ts";
import { toBuffer } from "./wire.ts";

/**
 * Collects locations per digest. Of CUE files only names and positions are sent, never text: a daemon puts the whole source info into the
 * trailers of a failed call, and Node cannot receive trailers beyond 64 KiB. `character` is the column as in Position: from 1.
 */
export class SourceMap {
  readonly #cueFiles = new Map<string, SourceFile>();
  readonly #files = new Map<SourceFile, number>();
  readonly #infos: SourceInfo[] = [];
  readonly #locations = new Map<string, Location[]>();

  /** Every op has an entry, also one without a line. */
  add(digest: string, { at, locations = [] }: Pick<VertexMeta, "at" | "locations">): void {
    const known = this.#locations.get(digest) ?? [];
    this.#locations.set(digest, known);
    for (const { file, line, column } of at) {
      const place = { line, character: column };
      known.push({ sourceIndex: this.#index(this.#cueFile(file)), ranges: [{ start: place, end: place }] });
    }
    for (const { file, ranges } of locations) {
      known.push({ sourceIndex: this.#index(file), ranges: ranges.map(({ start, end }) => ({ start, end })) });
    }
  }

  toSource(): Source {
    const locations = Object.fromEntries([...this.#locations].map(([digest, list]) => [digest, { locations: list }]));
    return { locations, infos: this.#infos };
  }

  #cueFile(filename: string): SourceFile {
    const known = this.#cueFiles.get(filename);
    if (known !== undefined) return known;
    const file = { filename, language: languageOf(filename) };
    this.#cueFiles.set(filename, file);
    return file;
  }

  /** Position among the infos; files that say the same are one. */
  #index(file: SourceFile): number {
    let index = this.#files.get(file);
    if (index !== undefined) return index;
    const info = toInfo(file);
    index = this.#infos.findIndex((known) => isSame(known, info));
    if (index < 0) index = this.#infos.push(info) - 1;
    this.#files.set(file, index);
    return index;
  }
}

function toInfo({ filename, language, data, definition }: SourceFile): SourceInfo {
  return {
    filename,
    language,
    data: data === undefined ? Buffer.alloc(0) : toBuffer(data),
    definition: definition && PbDefinition.decode(definition),
  };
}

/** Two Definitions are taken for the same when their results are. */
function isSame(a: SourceInfo, b: SourceInfo): boolean {
  if (a.filename !== b.filename || a.language !== b.language || !a.data.equals(b.data)) return false;
  const [one, other] = [a.definition?.def.at(-1), b.definition?.def.at(-1)];
  return one === undefined || other === undefined || one.equals(other);
}

function languageOf(filename: string): string {
  return filename.endsWith(".cue") ? "CUE" : "";
}
