// What places say of themselves, with what is usual.
{
  region: error 'the region is missing',
  name: 'shop-' + self.region,
  replicas: { parallel_a: 1, parallel_b: 1 },
}
