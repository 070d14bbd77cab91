// Token authority: a key pair per registry and login, by which the daemon may keep a token between builds for us and for nobody else.
import { createHmac, createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";

/** DER of an Ed25519 private key (RFC 8410) up to its seed. */
const pkcs8Head = Buffer.from("302e020100300506032b657004220420", "hex");

/** Key for a host, made of the daemon's salt and our own seed: without a login it is the same for everybody, as anonymous tokens are. */
export class Authority {
  readonly #key: KeyObject;

  private constructor(key: KeyObject) {
    this.#key = key;
  }

  /** `dir` is docker's configuration directory, which holds the seeds of all docker and BuildKit clients. */
  static async of(dir: string, host: string, salt: Uint8Array, hasLogin: boolean): Promise<Authority> {
    const mac = createHmac("sha256", salt);
    if (hasLogin) mac.update(await seedOf(dir, host));
    return new Authority(createPrivateKey({ key: Buffer.concat([pkcs8Head, mac.digest()]), format: "der", type: "pkcs8" }));
  }

  /** 32 bytes. */
  publicKey(): Buffer {
    return createPublicKey(this.#key).export({ format: "der", type: "spki" }).subarray(-32);
  }

  /** As NaCl's crypto_sign: the signature before the payload. */
  sign(payload: Uint8Array): Buffer {
    return Buffer.concat([sign(null, payload, this.#key), payload]);
  }
}

/** Reads the seed of a host, or makes one. A directory that cannot be written to only costs tokens that are fetched again. */
async function seedOf(dir: string, host: string): Promise<Buffer> {
  const file = path.join(dir, ".token_seed");
  const seeds = await readSeeds(file);
  const known = seeds[host]?.Seed;
  if (typeof known === "string") return Buffer.from(known, "base64");
  const seed = randomBytes(16);
  const temporary = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await fs.mkdir(dir, { recursive: true });
    await fs.writeFile(temporary, JSON.stringify({ ...seeds, [host]: { Seed: seed.toString("base64") } }, null, 2), { mode: 0o600 });
    await fs.rename(temporary, file);
  } catch {
    await fs.rm(temporary, { force: true }).catch(() => undefined);
  }
  return seed;
}

async function readSeeds(file: string): Promise<Record<string, { Seed?: unknown }>> {
  try {
    const parsed: unknown = JSON.parse(await fs.readFile(file, "utf8"));
    return typeof parsed === "object" && parsed !== null ? (parsed as Record<string, { Seed?: unknown }>) : {};
  } catch {
    return {};
  }
}
