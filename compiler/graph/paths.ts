// CUE paths held against each other.

/** Whether a path is that of a field, or lies below it. */
export function isWithin(path: string, field: string): boolean {
  return field === "" || path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`);
}
