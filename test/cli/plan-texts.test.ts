import { expect, test } from 'vitest';
import { bindingTexts, costText, sizeText } from '../../src/cli/plan-texts.ts';

test('money is $ per hour everywhere, and sizes are whole tokens', () => {
  expect([costText(8.100000000000001), costText(0)]).toEqual(['$8.1/h', '$0/h']);
  expect(sizeText({ inputTokens: 48.50293012833273, outputTokens: 7.9, arrivalRate: 1.23456 })).toBe(
    '1.23 req/s of 49 + 8 tokens',
  );
  expect(bindingTexts({ stock: [{ gpu: 'H100', gpus: 2, saves: 1.5 } as never], bounds: [] })).toEqual([
    '2 more H100 would save $1.5/h',
  ]);
  const bound = { variant: 'serving/a', bound: 'maxReplicas' as const, saves: 4 };
  expect(bindingTexts({ stock: [], bounds: [bound, { ...bound, heldBy: 'pinned' }] })).toEqual([
    'maxReplicas of serving/a costs $4/h',
    'serving/a is pinned by gpumix.io/pin, which costs $4/h',
  ]);
});
