// The types of connectors: which fields and secrets each has. What a config gets of them is in requests.ts, how they are tried in checks/.

export const connectorTypes = ["registry", "git", "s3", "kubernetes", "ssh", "webhook"] as const;
export type ConnectorType = (typeof connectorTypes)[number];

export interface ConnectorField {
  /** What it is, and what it is without being set. */
  readonly about: string;
  readonly required?: true;
  /** What a value has to look like, in words for a person who gave another one. */
  readonly form?: { readonly matches: RegExp; readonly words: string };
}

export interface ConnectorTypeSpec {
  readonly about: string;
  readonly fields: Readonly<Record<string, ConnectorField>>;
  readonly secrets: Readonly<Record<string, Omit<ConnectorField, "form">>>;
  /** Of each of these lists one field or secret must be there. */
  readonly oneOf?: readonly (readonly string[])[];
}

const url = { matches: /^https?:\/\/[^/@\s]+(\/[^@\s]*)?$/, words: "an http:// or https:// address without a login" };
const host = { matches: /^[^\s/@-][^\s/@]*$/, words: "a host, such as registry.example.com or 10.0.0.7:5000" };
const word = { matches: /^[^\s-]\S*$/, words: "one word" };
const yesNo = { matches: /^(true|false)$/, words: "true or false" };
const pem = { matches: /-----BEGIN CERTIFICATE-----/, words: "certificates as PEM" };
const ca = { about: "certificates (PEM) of who signs that of the service; without it those that this machine trusts", form: pem };

export const typeSpecs: Readonly<Record<ConnectorType, ConnectorTypeSpec>> = {
  registry: {
    about: "a registry of images",
    fields: {
      host: { about: "the registry, such as ghcr.io or registry.example.com:5000", required: true, form: host },
      username: { about: "name of the user", required: true, form: { matches: /^\S/, words: "a name" } },
      insecure: { about: "true for one without TLS", form: yesNo },
      ca,
    },
    secrets: { password: { about: "password or token", required: true } },
  },
  git: {
    about: "a git repository, or a host of several, over https",
    fields: {
      url: { about: "the repository, or what the addresses of all of them begin with", required: true, form: url },
      username: { about: "name of the user; x-access-token without it, which GitHub, GitLab and Gitea take with any token", form: word },
      repository: { about: "what comes after url in the address of a repository that a check asks for", form: word },
      ca,
    },
    secrets: { token: { about: "token or password", required: true } },
  },
  s3: {
    about: "a service that speaks the protocol of Amazon S3",
    fields: {
      endpoint: { about: "where it is; Amazon's for the region without it", form: url },
      region: { about: "its region; us-east-1 without it", form: word },
      bucket: { about: "name of a bucket; without it the config names one", form: word },
      ca,
    },
    secrets: {
      accessKey: { about: "id of the access key", required: true },
      secretKey: { about: "the access key itself", required: true },
      sessionToken: { about: "token of a session, for keys that live for a short time" },
    },
  },
  kubernetes: {
    about: "a cluster of Kubernetes",
    fields: {
      server: { about: "the cluster's API, where there is no kubeconfig", form: url },
      context: { about: "context of the kubeconfig; its current one without it", form: word },
      namespace: { about: "namespace for a config", form: word },
      ca,
    },
    secrets: { kubeconfig: { about: "a whole kubeconfig" }, token: { about: "token of an account, where there is no kubeconfig" } },
    oneOf: [
      ["kubeconfig", "server"],
      ["kubeconfig", "token"],
    ],
  },
  ssh: {
    about: "a machine to log in to",
    fields: {
      host: { about: "the machine, by name or address", required: true, form: word },
      port: { about: "its port; 22 without it", form: { matches: /^[1-9]\d{0,4}$/, words: "a port" } },
      user: { about: "who logs in there; root without it", form: word },
      knownHosts: {
        about: "public keys of the machine, as ssh-keyscan prints them, once they are known to be right",
        required: true,
        form: { matches: /^\S+ \S+ \S+/m, words: "lines of a known_hosts file" },
      },
    },
    secrets: { key: { about: "the private key", required: true } },
  },
  webhook: {
    about: "an address that takes messages",
    fields: {
      url: { about: "the address, where it is no secret", form: url },
      checkUrl: { about: "address that a check asks; url without it", form: url },
      checkMethod: {
        about: "how it asks; HEAD without it. POST sends {}",
        form: { matches: /^(HEAD|GET|OPTIONS|POST)$/, words: "HEAD, GET, OPTIONS or POST" },
      },
      signatureHeader: { about: "header for the signature of a message; X-Hub-Signature-256 without it", form: word },
      ca,
    },
    secrets: {
      url: { about: "the address, where it is a secret" },
      token: { about: 'token, sent as "Authorization: Bearer"' },
      signingKey: { about: "key that messages are signed with (HMAC-SHA256)" },
    },
    oneOf: [["url"]],
  },
};

export function isConnectorType(text: string): text is ConnectorType {
  return (connectorTypes as readonly string[]).includes(text);
}
