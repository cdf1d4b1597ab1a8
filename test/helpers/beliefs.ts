import type { Belief } from '../../src/planner/believe/believe.ts';
import type { Candidate } from '../../src/planner/believe/candidates.ts';
import { deployment, foundProfile } from './deployments.ts';

/** Deployment `ns/<name>` of GPU type `<name>`, as it takes part in a plan: one Ready replica without bounds. */
export const candidate = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  key: `ns/${name}`,
  gpu: name,
  gpusPerReplica: 1,
  price: 1,
  profile: foundProfile(name, 5).profile,
  bounds: { minReplicas: 0, maxReplicas: null },
  replicas: 1,
  ready: 1,
  ...more,
});

/** A fresh model `m` of Deployment `ns/a`, without demand. */
export const belief = (more: Partial<Belief> = {}): Belief => ({
  name: 'm',
  deployments: [deployment('a')],
  aliases: ['m'],
  arrivalShare: 1,
  conclusion: { state: 'fresh', reason: 'request records are current', silentUntil: 0 },
  dataAt: 990,
  recordDefect: null,
  candidates: [candidate('a')],
  excluded: new Map(),
  demand: null,
  forecast: null,
  headroom: 0,
  noise: 0,
  histories: new Map(),
  strains: new Map(),
  wakings: new Map(),
  behaviours: new Map(),
  profileProblems: new Map(),
  ...more,
});
