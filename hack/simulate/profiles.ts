/**
 * Measures the profiles of the simulated engines, as `gpumix simulate` uses them: src/simulation/sets/*.json. Minutes.
 *
 *   node hack/simulate/profiles.ts [SET]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Slo } from '../../src/profiles/profile-document.ts';
import { profileDocument } from '../../src/profiles/profile-document.ts';
import { engineSpeed } from '../../src/simulation/engine-speeds.ts';
import { measuredProfile, usualMeasurement } from '../../src/simulation/measure.ts';

const grid = {
  inputTokens: [64, 256, 512, 1024, 2048, 4096, 8192],
  outputTokens: [16, 32, 64, 128, 256, 512, 1024],
};
/** $ per GPU-hour on demand, RunPod secure, 2026-11; one vendor, as prices of several do not compare. */
const real = { gpus: { L40S: 1.09, 'A100-80': 1.59, H100: 3.99 }, price: 'RunPod secure, 2026-11, per GPU' };
/** Two GPUs that no one sells, so that the best answer is a mix by construction. */
const specialists = { gpus: { PROMPT: 2, DECODE: 2 }, price: 'made up, as are the GPUs' };
const perToken = { percentile: 99, ttft: 2, tpot: 0.1 };

const sets: Readonly<
  Record<string, { readonly slo: Slo; readonly gpus: Readonly<Record<string, number>>; readonly price: string }>
> = {
  'llama-8b': { ...real, slo: perToken },
  'llama-8b-e2e': { ...real, slo: { percentile: 99, e2e: 20 } },
  specialists: { ...specialists, slo: perToken },
};

const only = process.argv[2];
for (const [name, { slo, gpus, price }] of Object.entries(sets)) {
  if (only !== undefined && only !== name) continue;
  const profiles = Object.entries(gpus).map(([gpu, cost]) => {
    const profile = measuredProfile(engineSpeed(gpu), grid, { gpu, cost }, { ...usualMeasurement, slo });
    console.log(name, gpu);
    return profileDocument(profile);
  });
  const document = {
    how: 'measured on the simulated engine (Llama 3.1 8B by the roofline) by node hack/simulate/profiles.ts; not hardware',
    price,
    slo,
    profiles,
  };
  const file = join(import.meta.dirname, '../../src/simulation/sets', `${name}.json`);
  writeFileSync(file, `${JSON.stringify(document).replaceAll('],[', '],\n  [').replaceAll(',"', ',\n "')}\n`);
}
