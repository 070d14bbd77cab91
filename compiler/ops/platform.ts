// Platforms, as `os/architecture[/variant]`, normalised as containerd does.
import type { Platform } from "../graph/vertex.ts";
import { parsePlatform } from "../llb/index.ts";
import { wrongType } from "./fields.ts";
import type { FieldType } from "./spec.ts";
import { string } from "./types.ts";

const words = `a platform such as "linux/arm64"`;

/** Fills in what `arm64` alone leaves open: containers are Linux unless told otherwise. */
const USUAL: Platform = { os: "linux", architecture: "amd64" };

export const platform: FieldType<Platform> = {
  words,
  read: (field, context) => {
    const given = string.read(field, context);
    if (given === undefined) return undefined;
    return parsePlatform(given, USUAL) ?? wrongType(field, words, context);
  },
};
