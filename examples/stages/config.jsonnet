// The config of this place: what the library knows, and what is different here.
(import 'config.libsonnet') + {
  region: 'eu-north-1',
  replicas+: { parallel_b: 3 },
}
