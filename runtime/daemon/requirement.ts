// What one check of this machine gives.
/** One thing that an embedded daemon needs. `detail` says what was found, or what is wrong; `fix` is there when `ok` is false. */
export interface Requirement {
  readonly code: string;
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fix?: string;
}
