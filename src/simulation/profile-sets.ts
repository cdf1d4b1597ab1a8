import type { Profile, Slo } from '../profiles/profile-document.ts';
import { profileOf } from '../profiles/profile-document.ts';
import type { EngineSpeed } from './engine.ts';
import { engineSpeed, slowed } from './engine-speeds.ts';
import type { SimulatedVariant } from './replicas.ts';
import aibrix from './sets/aibrix-llama2-7b.json' with { type: 'json' };
import llama from './sets/llama-8b.json' with { type: 'json' };
import llamaE2e from './sets/llama-8b-e2e.json' with { type: 'json' };
import silicon8b from './sets/silicon-llama-8b.json' with { type: 'json' };
import silicon70b from './sets/silicon-llama-70b.json' with { type: 'json' };
import specialists from './sets/specialists.json' with { type: 'json' };

/**
 * Profiles of one model under one SLO: measured on the simulated engines by `node hack/simulate/profiles.ts`, or on hardware,
 * and then the engines are fitted to what was measured (`node hack/simulate/measured-sets.ts`).
 */
export interface ProfileSet {
  readonly slo: Slo;
  readonly variants: readonly SimulatedVariant[];
  readonly profiles: ReadonlyMap<string, Profile>;
}

interface SetDocument {
  readonly slo: Slo;
  readonly profiles: readonly { readonly gpuType: string }[];
  /** By GPU type; absent = those of the data sheets. */
  readonly engines?: Readonly<Record<string, EngineSpeed>>;
}

const documents = {
  'llama-8b': llama,
  'llama-8b-e2e': llamaE2e,
  specialists,
  'silicon-llama-8b': silicon8b,
  'silicon-llama-70b': silicon70b,
  'aibrix-llama2-7b': aibrix,
} satisfies Readonly<Record<string, SetDocument>>;
export type ProfileSetName = keyof typeof documents;
export const profileSetNames = Object.keys(documents) as readonly ProfileSetName[];

export const namespace = 'simulated';

/**
 * @param slowdown how many times slower the engines are than those that were measured
 * @param startupSeconds from the creation of a replica to Ready (s)
 */
export const profileSet = (name: ProfileSetName, startupSeconds = 120, slowdown = 1): ProfileSet => {
  const { slo, profiles, engines }: SetDocument = documents[name];
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
      gpusPerReplica: profile.gpusPerReplica ?? 1,
      speed: slowed(engines?.[gpu] ?? engineSpeed(gpu), slowdown),
    })),
    profiles: new Map(found.map(({ key, profile }) => [key, profile])),
  };
};
