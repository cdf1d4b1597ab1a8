import type { Shape } from '../planner/believe/rates-and-shapes.ts';
import { dayCycle, type RateOverTime, ramp, spike, steady, step } from './traffic.ts';

/** Mixtures of request sizes; `services` is about what Azure's traces are, a conversation beside a coding service. */
export const mixtures: Readonly<Record<string, Shape>> = {
  short: [
    { inputTokens: 128, outputTokens: 64, share: 0.5 },
    { inputTokens: 512, outputTokens: 128, share: 0.5 },
  ],
  long: [
    { inputTokens: 4096, outputTokens: 64, share: 0.5 },
    { inputTokens: 1024, outputTokens: 512, share: 0.5 },
  ],
  services: [
    { inputTokens: 1024, outputTokens: 128, share: 0.35 },
    { inputTokens: 1024, outputTokens: 512, share: 0.25 },
    { inputTokens: 1024, outputTokens: 16, share: 0.2 },
    { inputTokens: 4096, outputTokens: 32, share: 0.2 },
  ],
  mixed: [
    { inputTokens: 128, outputTokens: 64, share: 0.25 },
    { inputTokens: 512, outputTokens: 256, share: 0.25 },
    { inputTokens: 1024, outputTokens: 512, share: 0.25 },
    { inputTokens: 4096, outputTokens: 32, share: 0.25 },
  ],
};

/** Made-up traffic: its rate over time, and how long it usually lasts (s). */
export const syntheticRates: Readonly<
  Record<string, { readonly rate: (usual: number, seconds: number) => RateOverTime; readonly seconds: number }>
> = {
  steady: { rate: (usual) => steady(usual), seconds: 3600 },
  step: { rate: (usual, seconds) => step(usual, 4 * usual, seconds / 4), seconds: 3600 },
  ramp: { rate: (usual, seconds) => ramp(usual, 4 * usual, seconds / 4, (3 * seconds) / 4), seconds: 3600 },
  spike: { rate: (usual, seconds) => spike(usual, 4 * usual, seconds / 2, 30), seconds: 3600 },
  day: { rate: (usual) => dayCycle(usual, 4 * usual), seconds: 86_400 },
};
