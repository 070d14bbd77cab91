// The part of the WebAssembly API that runtime/cue uses: @types/node leaves it to the DOM's types, which have no place here.
declare namespace WebAssembly {
  type ModuleImports = Record<string, ((...args: never[]) => unknown) | Memory | Table | Global>;
  type Exports = Record<string, ((...args: never[]) => unknown) | Memory | Table | Global>;
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Table {
    get(index: number): unknown;
    set(index: number, value: unknown): void;
  }
  class Global {
    value: number | bigint;
  }
  class Module {
    constructor(bytes: Uint8Array);
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, ModuleImports>);
    readonly exports: Exports;
  }
}
