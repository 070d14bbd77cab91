// Changes CUE's WebAssembly so that a running instance can be saved and restored, and so that its memory grows in large steps.
import { bodyOf, name, Reader, readSections, Section, signed, unsigned, type WasmSection, writeSections } from "./binary.ts";

/** Exported globals are called by this and their number. */
export const GLOBAL = "global:";
/** Exported global: so many pages memory may have; 0 once more were refused. It is set for each instance, and is no part of a snapshot. */
export const LIMIT = "memory-limit";
/** The memory of an instance is imported by this module and name: it can be filled while the code is still compiled. */
export const MEMORY = { module: "snapshot", name: "memory" } as const;
/** Bytes of a page of WebAssembly memory. */
export const WASM_PAGE = 65536;

/**
 * Go asks for memory in steps of 512 KiB, and each time V8 accounts for it and may collect garbage: hundreds of times in a large
 * evaluation. Memory really grows by this many pages (32 MiB).
 */
const STEP = 512;
/** All that 32 bits can address. */
const MOST_PAGES = 65536;
const I32 = 0x7f;
const MUTABLE = 1;
const EXPORT_GLOBAL = 3;
const IMPORT_MEMORY = 2;

/** The binary with every mutable global exported, as `global:N`, and memory that grows in large steps up to a limit. */
export function makeObservable(wasm: Uint8Array): Uint8Array {
  const sections = readSections(wasm);
  const globals = mutableGlobals(sections);
  const added = globals.count;
  const changed = sections.map((section): WasmSection => {
    switch (section.id) {
      case Section.global:
        return addGlobals(section, [memoryMinimum(sections), MOST_PAGES]);
      case Section.export:
        return exportGlobals(section, [...globals.mutable, added], added + 1);
      case Section.code:
        return growInSteps(section, added, added + 1);
      default:
        return section;
    }
  });
  return writeSections(wasm, changed);
}

/** Of an observable binary: without its initial data, which a snapshot replaces, and with a memory of `bytes` that it is given. */
export function withoutData(observable: Uint8Array, bytes: number): Uint8Array {
  const dropped: readonly number[] = [Section.custom, Section.data, Section.dataCount, Section.memory];
  const sections = readSections(observable).filter((section) => !dropped.includes(section.id));
  return writeSections(
    observable,
    sections.map((section) => (section.id === Section.import ? importMemory(section, bytes / WASM_PAGE) : section)),
  );
}

interface Globals {
  /** How many there are, imported ones included: the number of the next one. */
  readonly count: number;
  readonly mutable: readonly number[];
}

function mutableGlobals(sections: readonly WasmSection[]): Globals {
  const reader = new Reader(bodyOf(sections, Section.global));
  const own = reader.unsigned();
  const imported = importedGlobals(sections);
  const mutable: number[] = [];
  for (let index = 0; index < own; index++) {
    reader.byte();
    if (reader.byte() === MUTABLE) mutable.push(imported + index);
    reader.skipConstant();
  }
  return { count: imported + own, mutable };
}

function importedGlobals(sections: readonly WasmSection[]): number {
  const reader = new Reader(bodyOf(sections, Section.import));
  let found = 0;
  for (let left = reader.unsigned(); left > 0; left--) {
    reader.skip(reader.unsigned());
    reader.skip(reader.unsigned());
    const kind = reader.byte();
    if (kind === EXPORT_GLOBAL) {
      reader.skip(2);
      found++;
    } else if (kind === 0) reader.unsigned();
    else throw new Error(`unknown import of kind ${kind}`);
  }
  return found;
}

/** Adds globals: one holds how many pages Go believes to have, one how many it may have. */
function addGlobals(section: WasmSection, values: readonly number[]): WasmSection {
  const reader = new Reader(section.body);
  const count = reader.unsigned();
  const globals = values.flatMap((value) => [Uint8Array.of(I32, MUTABLE, 0x41), signed(value), Uint8Array.of(0x0b)]);
  return { id: section.id, body: Buffer.concat([unsigned(count + values.length), reader.rest(), ...globals]) };
}

function exportGlobals(section: WasmSection, globals: readonly number[], limit: number): WasmSection {
  const reader = new Reader(section.body);
  const count = reader.unsigned();
  const names = [...globals.map((index) => [`${GLOBAL}${index}`, index] as const), [LIMIT, limit] as const];
  const exports = names.flatMap(([text, index]) => [name(text), Uint8Array.of(EXPORT_GLOBAL), unsigned(index)]);
  return { id: section.id, body: Buffer.concat([unsigned(count + names.length), reader.rest(), ...exports]) };
}

/**
 * Replaces the one `memory.grow` of Go's runtime: it adds to the pages that Go believes to have (global `believed`), and memory grows,
 * by a large step, only when that is more than there is, and not above `limit`. Throws when there is not exactly one: a new Go does it
 * differently.
 */
function growInSteps(section: WasmSection, believed: number, limit: number): WasmSection {
  const reader = new Reader(section.body);
  const count = reader.unsigned();
  const parts: Uint8Array[] = [unsigned(count)];
  let found = 0;
  for (let index = 0; index < count; index++) {
    const body = reader.bytes(reader.unsigned());
    const at = growInstruction(body);
    if (at >= 0) found++;
    const changed = at < 0 ? body : Buffer.concat([body.subarray(0, at), growth(believed, limit), body.subarray(at + 2)]);
    parts.push(unsigned(changed.length), changed);
  }
  if (found !== 1) throw new Error(`expected one place where memory grows, found ${found}`);
  return { id: section.id, body: Buffer.concat(parts) };
}

/**
 * Where `memory.grow` lies between the load of its operand and the store of its result in runtime.growMemory, a function of some 100
 * bytes; -1 for any other function. The bytes of other instructions may look the same, but not in a place like this.
 */
function growInstruction(body: Uint8Array): number {
  if (body.length > 400) return -1;
  const at = Buffer.from(body.buffer, body.byteOffset, body.length).indexOf(Uint8Array.of(0x40, 0x00, 0x36));
  return at > 2 && body[at - 3] === 0x28 ? at : -1;
}

/** Takes the pages asked for from the stack, leaves how many there were before, or -1. */
function growth(believed: number, limit: number): Uint8Array {
  const global = unsigned(believed);
  const get = [0x23, ...global];
  const limitGlobal = unsigned(limit);
  const size = [0x3f, 0x00];
  return Uint8Array.from([
    ...[...get, 0x6a, 0x24, ...global], // believed += asked
    ...[...get, ...size, 0x4b, 0x04, I32], // if believed > memory.size
    ...[...get, 0x23, ...limitGlobal, 0x4b, 0x04, I32], // if believed > limit
    ...[0x41, 0x00, 0x24, ...limitGlobal, 0x41, ...signed(-1), 0x05], // limit = 0; -1; else
    ...[...get, ...size, 0x6b, 0x41, ...signed(STEP), 0x6a, 0x40, 0x00, 0x0b], // memory.grow(believed - memory.size + STEP)
    ...[0x05, ...size, 0x0b], // else memory.size
  ]);
}

function memoryMinimum(sections: readonly WasmSection[]): number {
  const reader = new Reader(bodyOf(sections, Section.memory));
  reader.skip(2);
  return reader.unsigned();
}

/** Memories are counted apart from functions and globals: one that is imported has the number that the own one had. */
function importMemory(section: WasmSection, pages: number): WasmSection {
  const reader = new Reader(section.body);
  const count = reader.unsigned();
  const limits = [Uint8Array.of(IMPORT_MEMORY, 0), unsigned(pages)];
  const body = [unsigned(count + 1), reader.rest(), name(MEMORY.module), name(MEMORY.name), ...limits];
  return { id: section.id, body: Buffer.concat(body) };
}
