import type { Explanation } from '../planner/plan/explanation.ts';
import { holdText } from '../planner/report/hold-texts.ts';
import type { DemandRow } from '../vocabulary/planning-documents.ts';

/** Without the noise of floating point. @example costText(8.1000000000001) // => '$8.1/h' */
export const costText = (amount: number): string => `$${Number(amount.toPrecision(6))}/h`;

/** @example rateText(1.23456) // => '1.23 req/s' */
export const rateText = (rate: number): string => `${Number(rate.toPrecision(3))} req/s`;

/** @example sizeText({ inputTokens: 512, outputTokens: 64, arrivalRate: 1.5 }) // => '1.5 req/s of 512 + 64 tokens' */
export const sizeText = ({ inputTokens, outputTokens, arrivalRate }: DemandRow): string =>
  `${rateText(arrivalRate)} of ${Math.round(inputTokens)} + ${Math.round(outputTokens)} tokens`;

/** A share to three digits. @example percentText(0.12345) // => '12.3 %' */
export const percentText = (share: number): string => `${Number((100 * share).toPrecision(3))} %`;

/** @example mixText({ a: 3, b: 0, c: 1 }) // => '3 x a + 1 x c' */
export const mixText = (replicas: Readonly<Record<string, number>>): string =>
  Object.entries(replicas)
    .filter(([, count]) => count > 0)
    .map(([variant, count]) => `${count} x ${variant}`)
    .join(' + ') || 'none';

/** Lines that belong to the one above them. */
export const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

/** What binds, and what less of it would save. */
export const bindingTexts = ({ stock, bounds }: Pick<Explanation, 'stock' | 'bounds'>): readonly string[] => [
  ...stock.map(({ gpu, gpus, saves }) => `${gpus} more ${gpu} would save ${costText(saves)}`),
  ...bounds.map(({ variant, bound, heldBy, saves }) =>
    heldBy === undefined
      ? `${bound} of ${variant} costs ${costText(saves)}`
      : `${variant} ${holdText(heldBy)}, which costs ${costText(saves)}`,
  ),
];

/** @param beyond what of the demand lies above the grid of a profile */
export const beyondGridText = ({ share, largest }: { readonly share: number; readonly largest: string }): string =>
  `${percentText(Number(share.toPrecision(2)))} of the demand is larger than its profile measured (up to ${largest}), and extrapolated: long prompts may be undercharged there`;
