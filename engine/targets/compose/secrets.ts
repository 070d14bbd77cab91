// Secrets of a Compose file: files of containers, or variables. Their values come from whoever starts it; none is ever written.
import { labelOf } from "../names.ts";
import { about, type SecretPlace, type TargetMount, type TargetNode, type Told } from "../target.ts";

type SecretMount = Extract<TargetMount, { kind: "secret" }>;

export class ComposeSecrets {
  /** As Compose declares them. */
  readonly declared: Record<string, object> = {};
  readonly #places: ReadonlyMap<string, SecretPlace>;
  readonly #told: Told;
  readonly #notes = new Map<string, string>();
  readonly #ids = new Map<string, string>();

  constructor(places: ReadonlyMap<string, SecretPlace>, told: Told) {
    this.#places = places;
    this.#told = told;
  }

  /** What whoever starts it has to give. */
  get notes(): string[] {
    return [...this.#notes.values()];
  }

  mount({ secret, dest, mode, uid, gid, optional }: SecretMount, node: TargetNode): object {
    const source = labelOf(secret);
    const other = this.#ids.get(source);
    this.#ids.set(source, secret);
    if (other !== undefined && other !== secret) {
      this.#told.problem(
        about(node, "target-step", `The secrets ${other} and ${secret} would both be called ${source}`, "Rename one of them"),
      );
    }
    if (optional) this.#told.loss(about(node, "target-loss", `The secret ${secret} of ${node.path} is not optional in Compose`));
    const { file } = this.#places.get(secret) ?? {};
    this.declared[source] = file === undefined ? { environment: this.#variable(secret) } : { file };
    if (file !== undefined) this.#notes.set(secret, `The secret ${secret} is the file ${file}`);
    return { source, target: dest, uid: String(uid), gid: String(gid), mode: `0${mode.toString(8)}` };
  }

  /** A variable of a container: the value is that of a variable of whoever starts it. */
  variable(secret: string, optional: boolean, node: TargetNode): string {
    const place = this.#places.get(secret);
    if (place?.file !== undefined && place.env === undefined) {
      const message = `The secret ${secret} of ${node.path} is a variable, and Compose takes variables from no file`;
      this.#told.problem(about(node, "target-step", message, `Say which variable has it: secrets: ${JSON.stringify(secret)}: env: "NAME"`));
    }
    return `\${${this.#variable(secret)}${optional ? ":-" : `:?the secret ${secret}`}}`;
  }

  #variable(secret: string): string {
    const name =
      this.#places.get(secret)?.env ??
      secret
        .toUpperCase()
        .replace(/[^A-Z0-9]+/g, "_")
        .replace(/^(?=\d)/, "_");
    this.#notes.set(secret, `The secret ${secret} is the variable ${name} of whoever starts it`);
    return name;
  }
}
