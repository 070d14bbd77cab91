// Certificates for tests of TLS, made by openssl: an authority, and what it signs.
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Makes a certificate authority in `dir`: NAME.pem and NAME-key.pem. */
export async function makeAuthority(dir: string, name: string): Promise<void> {
  await openssl(dir, ["req", "-x509", ...newKey(name), "-days", "2", "-subj", `/CN=${name}`, "-out", `${name}.pem`]);
}

export interface CertificateOptions {
  /** subjectAltName, e.g. `IP:127.0.0.1`. */
  readonly names?: string;
  /** Makes it for two days that ended long ago. */
  readonly expired?: boolean;
}

/** Makes NAME.pem and NAME-key.pem in `dir`, signed by an authority that lies there. */
export async function makeCertificate(dir: string, authority: string, name: string, options: CertificateOptions = {}): Promise<void> {
  await openssl(dir, ["req", "-new", ...newKey(name), "-subj", `/CN=${name}`, "-out", `${name}.csr`]);
  const { names = `DNS:${name}`, expired = false } = options;
  // `openssl x509 -req` knows no start date in Debian's version: `ca` does, and wants its own little database.
  const config = `[ca]
default_ca = own
[own]
new_certs_dir = ${dir}
database = ${dir}/${name}.db
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
x509_extensions = ext
[any]
commonName = supplied
[ext]
subjectAltName = ${names}
extendedKeyUsage = serverAuth, clientAuth
`;
  await writeFile(join(dir, `${name}.cnf`), config);
  await writeFile(join(dir, `${name}.db`), "");
  const time = expired ? ["-startdate", "20200101000000Z", "-enddate", "20200103000000Z"] : ["-days", "2"];
  const files = ["-cert", `${authority}.pem`, "-keyfile", `${authority}-key.pem`, "-in", `${name}.csr`, "-out", `${name}.pem`];
  await openssl(dir, ["ca", "-batch", "-notext", "-config", `${name}.cnf`, ...time, ...files]);
}

function newKey(name: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}-key.pem`];
}

async function openssl(dir: string, args: readonly string[]): Promise<void> {
  await run("openssl", [...args], { cwd: dir });
}
