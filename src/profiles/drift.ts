import type { LatencyBuckets, ServedByEngines } from '../vocabulary/engine-sample.ts';
import type { Profile } from './profile-document.ts';
import { beyondSloThroughput } from './throughput.ts';

/** A profile and what was seen of the replicas it speaks of. */
export interface Drift {
  /**
   * What a replica is seen to serve within the SLO over what the profile says: above 1, it served more than that and kept the
   * SLO; below 1, it missed the SLO at less. 1 = nothing that was seen contradicts the profile.
   */
  readonly ratio: number;
  /** Requests per second and replica: seen, and by the profile for requests of the same mean size. */
  readonly servedRate: number;
  readonly profiledRate: number;
  /** Share of the requests surely beyond a limit of the SLO; null = it has none that engines count. */
  readonly missedShare: number | null;
}

/** A drift outside means that the profile should be measured again. */
export const driftLimits = { least: 0.8, most: 1.2 };
export const disagrees = ({ ratio }: Drift): boolean => ratio < driftLimits.least || ratio > driftLimits.most;

/** Fewer requests tell nothing. */
const fewestRequests = 100;
/** The SLO counts as missed when so many times the share that may miss it do, and a few more. */
const [surelyTimes, surelyMore] = [2, 5];

/**
 * Compares a profile with what was served. Requests differ in size: as the work of a request grows about in proportion to its
 * tokens, their mean size stands for all of them. @returns null where too little was served to tell
 */
export const driftOf = (profile: Profile, served: ServedByEngines): Drift | null => {
  const { requests, promptTokens, generatedTokens, podSeconds } = served;
  if (requests < fewestRequests || podSeconds <= 0) return null;
  const profiledRate = beyondSloThroughput(profile, promptTokens / requests, generatedTokens / requests);
  if (profiledRate === 0) return null;
  const servedRate = requests / podSeconds;
  const missedShare = mostMissed(profile, served);
  const mayMiss = 1 - (profile.slo === null || profile.slo.percentile === 0 ? 50 : profile.slo.percentile) / 100;
  const missed = missedShare !== null && missedShare * requests > surelyTimes * mayMiss * requests + surelyMore;
  const overProfiled = servedRate / profiledRate;
  // Too much was asked of it: that the SLO is missed then is what the profile says.
  const ratio = missed ? Math.min(1, overProfiled) : missedShare === null ? 1 : Math.max(1, overProfiled);
  return { ratio, servedRate, profiledRate, missedShare };
};

/** The largest share beyond one of the limits. */
const mostMissed = ({ slo }: Profile, served: ServedByEngines): number | null => {
  const shares = (['ttft', 'tpot', 'e2e'] as const).flatMap((name) => {
    const [limit, buckets] = [slo?.[name], served[name]];
    return limit === undefined || buckets === null ? [] : (shareBeyond(buckets, limit) ?? []);
  });
  return shares.length === 0 ? null : Math.max(...shares);
};

/** What is above the first bound that is not below the limit is beyond it for certain. */
const shareBeyond = (buckets: LatencyBuckets, limit: number): number | null => {
  const all = buckets.get(Number.POSITIVE_INFINITY) ?? 0;
  const bound = Math.min(...[...buckets.keys()].filter((edge) => edge >= limit));
  return all > 0 ? 1 - (buckets.get(bound) ?? all) / all : null;
};
