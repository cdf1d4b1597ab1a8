import type { RedisLook } from '../workload/redis-look.ts';
import { type Finding, note, ok } from './finding.ts';

/** Clocks that differ by less are taken to be the same (s); that of the API server is told in whole seconds. */
const sameClock = 2.5;

/** What a gateway's records say of its clock, against that of Redis. */
export interface GatewayClock {
  readonly model: string;
  /** Seconds that its clock is ahead of that of Redis; negative = behind, or it wrote late. */
  readonly ahead: number;
  /** Nodes on which its pods run; absent = not known. */
  readonly nodes?: readonly string[];
}

/** A record is written when its interval is over, and soon after it (s). */
const [earliest, latest] = [5, 20];

/**
 * Whose clock is wrong: that which differs from two others that agree.
 * @param kubernetesAhead that of the API server minus ours (s); null = not known
 */
export const clockFindings = (
  { address, problem, clockAhead }: Pick<RedisLook, 'address' | 'problem' | 'clockAhead'>,
  kubernetesAhead: number | null,
  gateways: readonly GatewayClock[] = [],
): readonly Finding[] => {
  if (problem !== null) return [];
  return [...threeClocks(`Redis ${address}`, clockAhead, kubernetesAhead), ...gateways.flatMap(gatewayFinding)];
};

const threeClocks = (redis: string, redisAhead: number, kubernetesAhead: number | null): readonly Finding[] => {
  const [here, api] = ['the clock here', 'that of the API server'];
  const follows = 'gpumix goes by that of Redis';
  if (kubernetesAhead === null)
    return isSame(redisAhead) ? [] : [note('clock', redis, `is ${byText(redisAhead)} ${here}; ${follows}`)];
  if (isSame(redisAhead))
    return isSame(kubernetesAhead)
      ? [ok('', `the clocks here, of ${redis} and of the API server agree`)]
      : [note('clock', 'The API server', `is ${byText(kubernetesAhead)} ${here} and that of ${redis}: its clock is wrong`)];
  if (isSame(kubernetesAhead))
    return [note('clock', redis, `is ${byText(redisAhead)} ${here} and ${api}: its clock is wrong, and ${follows}`)];
  if (isSame(redisAhead - kubernetesAhead))
    return [note('clock', 'The clock here', `is ${byText(-redisAhead)} that of ${redis} and ${api}: it is wrong; ${follows}`)];
  const differs = `is ${byText(redisAhead)} ${here}, and the API server is ${byText(kubernetesAhead)} it`;
  return [note('clock', redis, `${differs}: no two agree; ${follows}`)];
};

const gatewayFinding = ({ model, ahead, nodes = [] }: GatewayClock): readonly Finding[] => {
  if (ahead <= earliest && -ahead <= latest) return [];
  const what =
    ahead > 0
      ? 'writes records of intervals that are not over by the clock of Redis'
      : 'writes its records late by the clock of Redis, and demand is as late';
  const mend = nodes.length === 0 ? undefined : `run NTP on ${nodes.length === 1 ? 'node' : 'nodes'} ${nodes.join(', ')}`;
  return [note('clock', `The gateway of model ${model}`, `${what}: its own is ${byText(ahead)} it`, mend)];
};

const isSame = (seconds: number): boolean => Math.abs(seconds) <= sameClock;

const byText = (ahead: number): string => `${Math.abs(ahead).toFixed(0)} s ${ahead > 0 ? 'ahead of' : 'behind'}`;
