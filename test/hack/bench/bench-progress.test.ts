import { expect, test, vi } from 'vitest';
import { benchProgress } from '../../../hack/bench/bench-progress.ts';

test('how far a bench is goes by its name, and makes way for each line of the result', () => {
  const said: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const progress = {
    tell: (what: string, share: number) => void said.push(`${what} ${share}`),
    end: () => void said.push('end'),
  };
  const bench = benchProgress('scarcity', progress);
  bench.tell(0.25);
  bench.print('| a row |');
  bench.end();
  stdout.mockRestore();
  expect(said).toEqual(['scarcity 0.25', 'end', '| a row |\n', 'end']);
});
