import { suggestion } from '../config/suggestion.ts';
import type { RedisKeys, RedisLook } from '../workload/redis-look.ts';
import { type Finding, ok, unknown, wrong } from './finding.ts';

/** A Deployment or model, as far as its keys in Redis are named by it. */
export interface NamedModel {
  /** `namespace/name` of a Deployment. */
  readonly deployment: string;
  readonly model: string;
}

/** Redis itself: whether it answers, takes writes, and has records. */
export const redisFindings = ({
  address,
  problem,
  role,
  keys,
}: Pick<RedisLook, 'address' | 'problem' | 'role' | 'keys'>): readonly Finding[] => {
  const it = `Redis ${address}`;
  if (problem !== null)
    return [wrong('redis-away', it, `does not answer: ${problem}; records, the plan of serve and profiles in it are not known`)];
  return [
    ok(it, 'answers'),
    ...(role === 'slave' ? [wrong('redis-read-only', it, 'is a replica, which takes no writes')] : []),
    ...(keys?.records.size === 0 ? [wrong('redis-empty', it, emptyText(keys))] : []),
  ];
};

const emptyText = ({ profiles, cutShort }: RedisKeys): string =>
  `has no key aibrix:<model>_request_trace_<time>${cutShort ? ' among its first keys' : ''}; of aibrix:profile_* it has ${profiles.length}`;

/** What is known of a model without records: perhaps it has them under another name. */
export const recordFindings = (model: string, state: string, reason: string, keys: RedisKeys | null): Finding => {
  if (state === 'stale') return wrong('stale-records', `model ${model}`, `is stale: ${reason}`);
  const near = keys === null ? null : nearName(model, [...keys.records.keys()]);
  if (near === null) return wrong('no-records', `model ${model}`, `is ${state}: ${reason}`);
  return wrong(
    'other-name',
    `model ${model}`,
    `has no records, but ${near} has`,
    `kubectl annotate deployment NAME -n NAMESPACE gpumix.io/aliases=${near}, or the label model.aibrix.ai/name=${near}`,
  );
};

/** The one that is nearly the same, or ends or begins alike (`meta-llama/Llama-3.1-8B`, `llama-3.1-8b`). */
const nearName = (model: string, names: readonly string[]): string | null => {
  const bare = (name: string): string =>
    name
      .toLowerCase()
      .replace(/^.*\//, '')
      .replaceAll(/[^a-z0-9]/g, '');
  const alike = names.find((name) => name !== model && bare(name).startsWith(bare(model)));
  return (
    alike ??
    suggestion(
      model,
      names.filter((name) => name !== model),
    )
  );
};

/** What is known of a Deployment without a profile: perhaps one lies under another name. */
export const profileFinding = ({ deployment, model }: NamedModel, keys: RedisKeys | null): Finding => {
  const [, name = deployment] = deployment.split('/');
  const wanted = `aibrix:profile_${model}_${name}`;
  const others = keys?.profiles.filter((key) => key.startsWith(`aibrix:profile_${model}_`) || key.endsWith(`_${name}`)) ?? [];
  if (others.length === 0)
    return wrong('no-profile', deployment, `has no profile of ${model} (key ${wanted}, or a file of --profiles)`);
  return wrong(
    'profile-elsewhere',
    deployment,
    `has no profile: there is no key ${wanted}, but ${others.slice(0, 3).join(', ')}`,
    `redis-cli COPY '${others[0]}' '${wanted}'`,
  );
};

/** Whether keys could be looked for, where that was wanted. */
export const keysFinding = ({ address, problem, keys }: Pick<RedisLook, 'address' | 'problem' | 'keys'>): readonly Finding[] =>
  problem === null && keys === null ? [unknown('redis-keys', `Redis ${address}`, 'does not let keys be looked for')] : [];
