// What a user is told when something is wrong: message, place, cause and next step, as data; printed in one place (cli/output).

/** A place in a CUE file. `file` is as the user would type it (relative to the working directory when below it); line and column start at 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** One finding. Codes are stable, kebab-case and listed in docs/errors.md; branch on them, never on the message. */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  /** CUE path of the value to blame, e.g. `app.build.#up[2].args`. */
  readonly path?: string;
  /** The most telling place first; may be empty when a thing has no place in a file. */
  readonly at: readonly Position[];
  /** One thing to do next. */
  readonly hint?: string;
  /** Of a failed step: what programs may want to know of it. */
  readonly step?: FailedStep;
}

export interface FailedStep {
  /** Digest of its vertex, as in progress events. */
  readonly digest: string;
  readonly name: string;
  /** Exit code of its process, where one ended. */
  readonly exitCode?: number;
  /** Where the process had filesystems mounted, and of which kind; `source` is a path below what is mounted, or the name of a secret or agent. */
  readonly mounts?: readonly { readonly dest: string; readonly kind: string; readonly source?: string }[];
}

/** Process exit codes: 1 the job failed, 2 the input is wrong, 3 the environment is, 130 interrupted. */
export type ExitCode = 1 | 2 | 3 | 130;

/** Any error that a user may see. Everything else that is thrown is a bug and is printed as one. */
export class UserError extends Error {
  readonly exit: ExitCode;
  readonly diagnostics: readonly Diagnostic[];

  constructor(exit: ExitCode, diagnostics: readonly Diagnostic[], options?: { cause?: unknown }) {
    super(diagnostics.map((d) => d.message).join("\n"), options);
    this.name = "UserError";
    this.exit = exit;
    this.diagnostics = diagnostics;
  }

  /** What programs may pass on; the cause stays, for it may tell more of this machine than others are to know. */
  toJSON(): { readonly name: string; readonly exit: ExitCode; readonly diagnostics: readonly Diagnostic[] } {
    return { name: this.name, exit: this.exit, diagnostics: this.diagnostics };
  }
}

/** The input (config, flags, files) is wrong: exit code 2. */
export function inputError(...diagnostics: Diagnostic[]): UserError {
  return new UserError(2, diagnostics);
}

/** By place, each finding once; those without a place come first. */
export function orderDiagnostics(list: readonly Diagnostic[]): Diagnostic[] {
  const unique = [...new Map(list.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic])).values()];
  const place = ({ at: [first] }: Diagnostic): Position => first ?? { file: "", line: 0, column: 0 };
  return unique.sort((a, b) => {
    const [p, q] = [place(a), place(b)];
    return p.file < q.file ? -1 : p.file > q.file ? 1 : p.line - q.line || p.column - q.column;
  });
}
