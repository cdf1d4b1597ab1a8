import type { Candidate } from '../../src/planner/believe/candidates.ts';
import { foundProfile } from './deployments.ts';

/** Of ns/a, on one L40S at a price of 1, of which a replica serves 2 req/s. */
export const l40sCandidate = (replicas: Pick<Candidate, 'replicas' | 'ready'>): Candidate => ({
  ...{ key: 'ns/a', gpu: 'L40S', gpusPerReplica: 1, price: 1, profile: foundProfile('a', 2).profile },
  bounds: { minReplicas: 0, maxReplicas: null },
  ...replicas,
});
