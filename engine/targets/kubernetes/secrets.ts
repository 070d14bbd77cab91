// Secrets in Kubernetes: references to Secrets that somebody made. Their values are never written.
import { labelOf } from "../names.ts";
import { about, type SecretPlace, type TargetNode, type Told } from "../target.ts";

/** A Secret, and which of its keys. */
export interface SecretRef {
  readonly name: string;
  readonly key: string;
}

export class KubernetesSecrets {
  readonly #places: ReadonlyMap<string, SecretPlace>;
  readonly #told: Told;
  readonly #used = new Map<string, SecretRef>();

  constructor(places: ReadonlyMap<string, SecretPlace>, told: Told) {
    this.#places = places;
    this.#told = told;
  }

  /** What has to be there. */
  get notes(): string[] {
    return [...this.#used].map(
      ([secret, { name, key }]) => `The secret ${secret}: kubectl create secret generic ${name} --from-file=${key}=FILE`,
    );
  }

  of(secret: string, node: TargetNode): SecretRef {
    const place = this.#places.get(secret);
    const ref = { name: place?.name ?? labelOf(secret), key: place?.key ?? "value" };
    const [other] = [...this.#used].find(([id, one]) => id !== secret && one.name === ref.name && one.key === ref.key) ?? [];
    if (other !== undefined) {
      const message = `The secrets ${other} and ${secret} would both be the key ${ref.key} of the Secret ${ref.name}`;
      this.#told.problem(about(node, "target-step", message, `Say another one: secrets: ${JSON.stringify(secret)}: name: "other"`));
    }
    this.#used.set(secret, ref);
    return ref;
  }
}
