// The way from the core of CUE's code to the rest of it, which is compiled when something in it is called. See split.ts, which made both.

/** What the core exports for the rest: the table of functions, and a table of one, which is called in place of what the core lacks. */
export const TABLE = "functions";
export const DOOR = "rest";
/** The rest imports everything but system calls and memory by this module. */
export const CORE = "core";

/** A module that exports the function `f` (two numbers to one) that it imports as `m.f`: a table takes no other functions of JavaScript. */
const PASS = Uint8Array.from([
  ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...[1, 7, 1, 0x60, 2, 0x7f, 0x7f, 1, 0x7f],
  ...[2, 7, 1, 1, 0x6d, 1, 0x66, 0, 0],
  ...[7, 5, 1, 1, 0x66, 0, 0],
]);

/** Once anything is called that the core lacks, `start` makes the rest, whose functions take their places in the core's table. */
export function openDoor(core: WebAssembly.Exports, start: () => WebAssembly.Instance): void {
  const functions = core[TABLE] as WebAssembly.Table;
  let rest: WebAssembly.Instance | undefined;
  const f = (place: number, from: number): number => {
    if (rest === undefined) rest = start();
    return (functions.get(place) as (from: number) => number)(from);
  };
  const pass = new WebAssembly.Instance(new WebAssembly.Module(PASS), { m: { f } });
  (core[DOOR] as WebAssembly.Table).set(0, pass.exports["f"]);
}
