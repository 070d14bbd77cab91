// Turns the bytes of an exported file into the JSON that is filled into CUE.

import type { ValueOutput } from "../../compiler/index.ts";
import { UserError } from "../../compiler/index.ts";

/** JSON text of the value. Throws UserError (1): the job made a file that is not what its `export` op says. */
export async function decodeValue(output: ValueOutput, bytes: Uint8Array): Promise<string> {
  const text = decodeUtf8(output, bytes);
  switch (output.format) {
    case "string":
      return JSON.stringify(text);
    case "json":
      return checkJson(output, text);
    case "yaml":
      return JSON.stringify(await parseYaml(output, text));
    case "number":
      return readNumber(output, text.trim());
    case "boolean":
      return readBoolean(output, text.trim());
  }
}

function decodeUtf8(output: ValueOutput, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrongFormat(output, "the file is not UTF-8 text");
  }
}

/** The text is passed on as it is, so that numbers keep all their digits. */
function checkJson(output: ValueOutput, text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (cause) {
    throw wrongFormat(output, (cause as Error).message);
  }
}

async function parseYaml(output: ValueOutput, text: string): Promise<unknown> {
  const { parse } = await import("yaml");
  try {
    const value: unknown = parse(text);
    return value === undefined ? null : value;
  } catch (cause) {
    throw wrongFormat(output, (cause as Error).message.split("\n")[0] ?? "");
  }
}

function readNumber(output: ValueOutput, text: string): string {
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw wrongFormat(output, `${quote(text)} is not a number`);
  const [, sign = "", digits = ""] = /^([+-]?)(.*)$/.exec(text) ?? [];
  // JSON wants a digit on both sides of the point and no leading zeros.
  const clean = digits
    .replace(/^0+(?=\d)/, "")
    .replace(/^\./, "0.")
    .replace(/\.(?=$|[eE])/, "");
  return (sign === "-" ? "-" : "") + clean;
}

function readBoolean(output: ValueOutput, text: string): string {
  if (text !== "true" && text !== "false") throw wrongFormat(output, `${quote(text)} is neither true nor false`);
  return text;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function wrongFormat(output: ValueOutput, why: string): UserError {
  return new UserError(1, [
    {
      code: "export-format",
      message: `Cannot read the value of ${output.path} as ${output.format}: ${why}`,
      path: output.path,
      at: output.at,
      hint: "Change what the step writes, or the `format` of the export op",
    },
  ]);
}
