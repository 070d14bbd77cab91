// Splits CUE's WebAssembly in two: the core, which has only the functions that evaluations are seen to use, and the rest, which is compiled
// when something else is called. Both run on one memory, with the same globals and the same table.
import { bodyOf, name, Reader, readSections, Section, signed, unsigned, type WasmSection, writeSections } from "./binary.ts";
import { CORE, DOOR, TABLE } from "./rest.ts";

/** Exported globals of a counting binary: `used:N` is 1 once own function N was called. */
const USED = "used:";

const FUNCTION_REFERENCE = 0x70;
const I32 = 0x7f;
/** Go compiles every function to take where to go on, and to tell whether it was left to be resumed. */
const GO_FUNCTION = Buffer.of(0x60, 1, I32, 1, I32);
/** As that, with which function is meant before it. */
const DOOR_FUNCTION = Buffer.of(0x60, 2, I32, I32, 1, I32);
const Kind = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** The binary with a counter for each of its functions. */
export function counting(wasm: Uint8Array): Uint8Array {
  const sections = readSections(wasm);
  const bodies = readBodies(sections);
  const { count } = ownGlobals(sections);
  const changed = sections.map((section): WasmSection => {
    switch (section.id) {
      case Section.global:
        return append(
          section,
          bodies.map(() => Buffer.of(I32, 1, 0x41, 0, 0x0b)),
        );
      case Section.export:
        return append(
          section,
          bodies.map((_, i) => Buffer.concat([name(`${USED}${i}`), Buffer.of(Kind.global), unsigned(count + i)])),
        );
      case Section.code:
        return code(bodies.map((body, i) => afterLocals(body, Buffer.concat([Buffer.of(0x41, 1, 0x24), unsigned(count + i)]))));
      default:
        return section;
    }
  });
  return writeSections(wasm, changed);
}

/** Numbers of the own functions that an instance of a counting binary has called. */
export function usedFunctions(exports: object): Set<number> {
  const counters = Object.entries(exports).filter(([text]) => text.startsWith(USED));
  return new Set(
    counters.flatMap(([text, global]) => ((global as WebAssembly.Global).value === 1 ? [Number(text.slice(USED.length))] : [])),
  );
}

/** Splits an observable binary whose memory is imported. Throws for one that Go did not make. */
export function split(wasm: Uint8Array, used: ReadonlySet<number>): { core: Uint8Array; rest: Uint8Array } {
  const sections = readSections(wasm);
  return { core: core(wasm, sections, used), rest: rest(wasm, sections) };
}

function core(wasm: Uint8Array, sections: readonly WasmSection[], used: ReadonlySet<number>): Uint8Array {
  const types = readTypes(sections);
  const [go, door] = [GO_FUNCTION, DOOR_FUNCTION].map((type) => types.findIndex((one) => one.equals(type)));
  if (go === undefined || door === undefined || go < 0 || door < 0) throw new Error("the WebAssembly binary has no function of Go");
  const typeOf = readNumbers(sections, Section.function);
  const place = placeInTable(sections);
  const bodies = readBodies(sections).map((body, index) => {
    if (used.has(index) || typeOf[index] !== go) return body;
    // rest[0](which, where to go on)
    const which = Buffer.concat([Buffer.of(0, 0x41), signed(place(index))]);
    return Buffer.concat([which, Buffer.of(0x20, 0, 0x41, 0, 0x11), unsigned(door), Buffer.of(1, 0x0b)]);
  });
  const changed = sections.map((section): WasmSection => {
    switch (section.id) {
      case Section.table:
        return append(section, [Buffer.of(FUNCTION_REFERENCE, 1, 1, 1)]);
      case Section.export:
        return append(
          section,
          [TABLE, DOOR].map((text, index) => Buffer.concat([name(text), Buffer.of(Kind.table, index)])),
        );
      case Section.code:
        return code(bodies);
      default:
        return section;
    }
  });
  return writeSections(wasm, changed);
}

/** All functions, without state of its own. Its functions take their places in the table when it is instantiated. */
function rest(wasm: Uint8Array, sections: readonly WasmSection[]): Uint8Array {
  const dropped: readonly number[] = [Section.table, Section.global, Section.export];
  const table = new Reader(bodyOf(sections, Section.table));
  if (table.unsigned() !== 1) throw new Error("the WebAssembly binary has more than one table");
  const names = exportedGlobals(sections);
  const imports = [
    Buffer.concat([name(CORE), name(TABLE), Buffer.of(Kind.table), table.rest()]),
    ...ownGlobals(sections).types.map((type, i) => {
      const text = names.get(i);
      if (text === undefined) throw new Error(`global ${i} of the WebAssembly binary is not exported`);
      return Buffer.concat([name(CORE), name(text), Buffer.of(Kind.global), type]);
    }),
  ];
  const kept = sections.filter(({ id }) => !dropped.includes(id));
  return writeSections(
    wasm,
    kept.map((section) => (section.id === Section.import ? append(section, imports) : section)),
  );
}

function ownGlobals(sections: readonly WasmSection[]): { count: number; types: Uint8Array[] } {
  const reader = new Reader(bodyOf(sections, Section.global));
  const count = reader.unsigned();
  const types = Array.from({ length: count }, () => {
    const type = reader.bytes(2);
    reader.skipConstant();
    return type;
  });
  return { count, types };
}

function exportedGlobals(sections: readonly WasmSection[]): Map<number, string> {
  const reader = new Reader(bodyOf(sections, Section.export));
  const found = new Map<number, string>();
  for (let left = reader.unsigned(); left > 0; left--) {
    const text = Buffer.from(reader.bytes(reader.unsigned())).toString("utf8");
    const kind = reader.byte();
    const index = reader.unsigned();
    if (kind === Kind.global) found.set(index, text);
  }
  return found;
}

function readTypes(sections: readonly WasmSection[]): Buffer[] {
  const reader = new Reader(bodyOf(sections, Section.type));
  return Array.from({ length: reader.unsigned() }, () => {
    const parts = [Buffer.of(reader.byte())];
    for (let side = 0; side < 2; side++) {
      const length = reader.unsigned();
      parts.push(Buffer.from(unsigned(length)), Buffer.from(reader.bytes(length)));
    }
    return Buffer.concat(parts);
  });
}

/** A section that is nothing but a list of numbers. */
function readNumbers(sections: readonly WasmSection[], id: number): number[] {
  const reader = new Reader(bodyOf(sections, id));
  return Array.from({ length: reader.unsigned() }, () => reader.unsigned());
}

/** Go puts all its functions into the table in their order: where an own function is, by its number. */
function placeInTable(sections: readonly WasmSection[]): (index: number) => number {
  const reader = new Reader(bodyOf(sections, Section.element));
  const [segments, kind, opcode] = [reader.unsigned(), reader.byte(), reader.byte()];
  if (segments !== 1 || kind !== 0 || opcode !== 0x41) throw new Error("the functions of the WebAssembly binary are not in one table");
  const first = reader.unsigned();
  reader.skip(1);
  const functions = Array.from({ length: reader.unsigned() }, () => reader.unsigned());
  const imported = functions[0] ?? 0;
  if (functions.some((one, i) => one !== imported + i)) throw new Error("the table of the WebAssembly binary is not in order");
  return (index) => first + index;
}

function readBodies(sections: readonly WasmSection[]): Uint8Array[] {
  const reader = new Reader(bodyOf(sections, Section.code));
  return Array.from({ length: reader.unsigned() }, () => reader.bytes(reader.unsigned()));
}

function code(bodies: readonly Uint8Array[]): WasmSection {
  const parts = bodies.flatMap((body) => [unsigned(body.length), body]);
  return { id: Section.code, body: Buffer.concat([unsigned(bodies.length), ...parts]) };
}

function afterLocals(body: Uint8Array, inserted: Uint8Array): Uint8Array {
  const reader = new Reader(body);
  for (let left = reader.unsigned(); left > 0; left--) {
    reader.unsigned();
    reader.skip(1);
  }
  const instructions = reader.rest();
  return Buffer.concat([body.subarray(0, body.length - instructions.length), inserted, instructions]);
}

/** A section that begins with how many entries it has, with more of them. */
function append(section: WasmSection, entries: readonly Uint8Array[]): WasmSection {
  const reader = new Reader(section.body);
  const count = reader.unsigned();
  return { id: section.id, body: Buffer.concat([unsigned(count + entries.length), reader.rest(), ...entries]) };
}
