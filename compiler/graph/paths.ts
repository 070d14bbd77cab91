// CUE paths: held against each other, and joined.

/** Whether a path is that of a field, or lies below it. */
export function isWithin(path: string, field: string): boolean {
  return field === "" || path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}

/** A path that starts at a field, from the root on. */
export function joinPath(field: string, path: string): string {
  return field === "" || path.startsWith("[") ? `${field}${path}` : `${field}.${path}`;
}
