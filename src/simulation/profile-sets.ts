import type { Profile, Slo } from '../domain.ts';
import { profileOf } from '../profiles/profile.ts';
import { engineSpeed, slowed } from './engine-speeds.ts';
import type { SimulatedVariant } from './replicas.ts';
import llama from './sets/llama-8b.json' with { type: 'json' };
import llamaE2e from './sets/llama-8b-e2e.json' with { type: 'json' };
import specialists from './sets/specialists.json' with { type: 'json' };

/** Profiles of one model under one SLO, measured on the simulated engines by `node hack/simulate/profiles.ts`. */
export interface ProfileSet {
  readonly slo: Slo;
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
}

const documents = { 'llama-8b': llama, 'llama-8b-e2e': llamaE2e, specialists };
export type ProfileSetName = keyof typeof documents;
export const profileSetNames = Object.keys(documents) as readonly ProfileSetName[];

export const namespace = 'simulated';

/**
 * @param slowdown how many times slower the engines are than those that were measured
 * @param startupSeconds from the creation of a replica to Ready (s)
 */
export const profileSet = (name: ProfileSetName, startupSeconds = 120, slowdown = 1): ProfileSet => {
  const { slo, profiles } = documents[name];
  const found = profiles.map((document) => {
    const profile = profileOf(document, `${name} ${document.gpuType}`);
    return { key: `${namespace}/${document.gpuType.toLowerCase()}`, profile, gpu: document.gpuType };
  });
  return {
    slo,
    variants: found.map(({ key, gpu, profile }) => ({
      key,
      gpu,
      price: profile.cost,
      startupSeconds,
      speed: slowed(engineSpeed(gpu), slowdown),
    })),
    profiles: new Map(found.map(({ key, profile }) => [key, profile])),
  };
};
