import type { ModelDeployment } from '../../src/cluster/variant.ts';
import { type FoundProfile, profileOf } from '../../src/profiles/profile-document.ts';

/** A Deployment of model `m` in namespace `ns` with one replica. */
export const deployment = (name: string, more: Partial<ModelDeployment> = {}): ModelDeployment => ({
  namespace: 'ns',
  name,
  uid: name,
  labels: {},
  model: 'm',
  aliases: [],
  priority: 0,
  idleReplicas: 0,
  replicas: 1,
  gpu: null,
  gpusPerReplica: 1,
  price: null,
  pin: null,
  paused: false,
  attainment: null,
  routerKnowledge: null,
  confirmedProfile: null,
  podsRefused: null,
  problem: null,
  note: null,
  ...more,
});

/** A profile that serves `throughput` req/s of 1024 tokens in, 64 out. */
export const foundProfile = (gpu: string, throughput: number, cost = 1): FoundProfile => ({
  profile: profileOf({ gpu, cost, indexes: [[64], [1024]], tputs: [[throughput]] }, gpu),
  source: `profile ${gpu}`,
  seenAt: 0,
  digest: `${gpu}-${throughput}`,
});
