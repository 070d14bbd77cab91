// Packages kubernetes and helm: the real kubectl and helm, on charts and kustomizations, and on a stand-in for a cluster's API.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { makeAuthority, makeCertificate } from "../support/certificates.ts";
import { type Received, startWebService, type WebService } from "../support/web-service.ts";
import { importProgram, type PackageBench, startPackageBench } from "./packages.ts";

let packages: PackageBench;
let cluster: WebService;
/** Base64 of the certificate of who signed that of the cluster. */
let authority: string;

before(async () => {
  packages = await startPackageBench("docker.io/alpine/kubectl:1.33.4");
  await importProgram(packages.bench, "helm", "docker.io/alpine/helm:3.19.0");
  const dir = packages.bench.dir;
  await makeAuthority(dir, "authority");
  await makeCertificate(dir, "authority", "cluster", { names: "IP:127.0.0.1" });
  const read = (name: string): string => readFileSync(join(dir, name), "utf8");
  cluster = await startWebService(answer, { cert: read("cluster.pem"), key: read("cluster-key.pem") });
  authority = Buffer.from(read("authority.pem")).toString("base64");
});
after(async () => {
  await cluster?.stop();
  await packages?.bench.end();
});

/** What the API of a cluster says to a client that applies a ConfigMap; there is nothing in it at first. */
const stored = new Map<string, string>();
function answer({ method, url, body }: Received): { status?: number; body?: string } {
  const path = url.split("?", 1)[0] ?? "";
  const say = (data: unknown, status = 200): { status: number; body: string } => ({ status, body: JSON.stringify(data) });
  const verbs = ["create", "get", "list", "patch"];
  if (path === "/api") return say({ kind: "APIVersions", versions: ["v1"] });
  if (path === "/apis") return say({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
  if (path === "/api/v1")
    return say({
      kind: "APIResourceList",
      groupVersion: "v1",
      resources: [{ name: "configmaps", namespaced: true, kind: "ConfigMap", verbs }],
    });
  if (method === "POST" && path === "/api/v1/namespaces/test/configmaps") {
    const { metadata } = JSON.parse(body) as { metadata: { name: string } };
    stored.set(`${path}/${metadata.name}`, body);
    return { status: 201, body };
  }
  const known = stored.get(path);
  return known === undefined ? say({ kind: "Status", status: "Failure", reason: "NotFound", code: 404 }, 404) : { body: known };
}

function kubeconfig(token: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: cluster.url, "certificate-authority-data": authority } }],
    users: [{ name: "u", user: { token } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  });
}

const files = {
  "files/chart/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
  "files/chart/values.yaml": "word: default\n",
  "files/chart/templates/map.yaml":
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  word: {{ required "word is missing" .Values.word | quote }}\n',
  "files/kustomization.yaml": "namePrefix: test-\nresources: [map.yaml]\n",
  "files/map.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: map\n",
};
const local = '_files: #up: [{do: "local", dir: "files"}]\n';

test("objects are applied with the kubeconfig that a secret holds", async () => {
  const config = `package up

import "cuellb.dev/kubernetes"

_apply: kubernetes.#Apply & {
	kubeconfig: secret: "kube"
	namespace: "test"
	// There are no schemas to hold it against.
	validate: false
	manifests: [for name in ["one", "two"] {apiVersion: "v1", kind: "ConfigMap", metadata: "name": name, data: text: "it's"}]
}
output: _apply.output
`;
  const { code, stdout, stderr } = await packages.compute("apply", config, { secrets: { kube: kubeconfig("t0ken") } });
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), { output: "configmap/one created\nconfigmap/two created\n" });
  assert.equal(stored.size, 2);
  assert.match(stored.get("/api/v1/namespaces/test/configmaps/one") ?? "", /"text":"it's"/);
  assert.ok(cluster.received.every(({ headers }) => headers.authorization === "Bearer t0ken"));
  assert.doesNotMatch(stderr, /t0ken/);
});

test("an object that is missing and one without a kind end the run", async () => {
  const get =
    'package up\n\nimport "cuellb.dev/kubernetes"\n\nget: kubernetes.#Kubectl & {kubeconfig: secret: "kube", args: ["get", "configmap", "nothing"]}\n';
  const missing = await packages.compute("missing", get, { secrets: { kube: kubeconfig("t") } });
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /NotFound|not found/);
  const wrong = await packages.compute(
    "wrong",
    'package up\n\nimport "cuellb.dev/kubernetes"\n\na: kubernetes.#Apply & {kubeconfig: secret: "kube", manifests: [{apiVersion: "v1"}]}\n',
  );
  assert.equal(wrong.code, 2);
});

test("a kustomization and a chart become objects without a cluster; mistakes of a chart end the run", async () => {
  const config = (values: string) => `package up

import (
	"cuellb.dev/helm"
	"cuellb.dev/kubernetes"
)

${local}
_kustomized: kubernetes.#Kustomize & {source: _files}
_template: helm.#Template & {name: "web", source: _files, chart: "./chart", namespace: "prod", values: {${values}}}
lint: helm.#Lint & {source: _files, chart: "./chart"}
kustomized: _kustomized.output
template:   _template.output
`;
  const { code, stdout, stderr } = await packages.compute("objects", { ...files, "up.cue": config('word: "from CUE"') });
  assert.equal(code, 0, stderr);
  const { kustomized, template } = JSON.parse(stdout) as Record<string, string>;
  assert.match(kustomized ?? "", /name: test-map/);
  assert.match(template ?? "", /name: web\n {2}namespace: prod\ndata:\n {2}word: "from CUE"/);
  const failed = await packages.compute("failed", { ...files, "up.cue": config('word: ""') });
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /word is missing/);
});
