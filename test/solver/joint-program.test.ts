import { describe, expect, test } from 'vitest';
import { roundedCut } from '../../src/solver/joint-program.ts';
import { Random } from './random.ts';

const none = (types: number) => new Float64Array(types);
const many = (types: number, most = 1000) => new Float64Array(types).fill(most);

describe('what a cut says of whole replicas alone', () => {
  test('two and a half replicas of types that are alike are three', () => {
    const cut = { constant: 2.5, slopes: Float64Array.of(1, 1.01), weight: 1 };
    const rounded = roundedCut(cut, [1.2, 1.287], 0, none(2), many(2))!;
    expect(rounded.slopes[0]! / rounded.constant).toBeCloseTo(1 / 3, 9);
    expect(rounded.slopes[1]! / rounded.constant).toBeCloseTo(1 / 3, 9);
  });

  test('says nothing where the replicas are whole already, or it is not violated', () => {
    const cut = { constant: 2.5, slopes: Float64Array.of(1, 1), weight: 1 };
    expect(roundedCut(cut, [3, 0], 0, none(2), many(2))).toBeNull();
    expect(roundedCut({ ...cut, constant: 2 }, [1.5, 0.5], 0, none(2), many(2))).toBeNull();
  });

  test('holds for every whole point of 20,000 random cuts, and is violated where it was made', () => {
    const random = new Random(7);
    let made = 0;
    for (let i = 0; i < 20_000; i++) {
      const types = random.whole(1, 4);
      const slopes = Float64Array.from({ length: types }, () => random.between(0.1, 5));
      const lower = Float64Array.from({ length: types }, () => random.whole(0, 2));
      const upper = lower.map((least) => least + random.whole(1, 6));
      const y = lower.map((least, g) => random.between(least, upper[g]!));
      const unserved = random.chance(0.5) ? 0 : random.between(0, 3);
      const constant = slopes.reduce((sum, slope, g) => sum + slope * y[g]!, unserved);
      const rounded = roundedCut({ constant, slopes, weight: 1 }, y, unserved, lower, upper);
      if (rounded === null) continue;
      made++;
      const left = (at: ArrayLike<number>, u: number) =>
        rounded.slopes.reduce((sum, slope, g) => sum + slope * at[g]!, rounded.weight * u) - rounded.constant;
      expect(left(y, unserved), `${i}`).toBeLessThan(0);
      for (let sample = 0; sample < 20; sample++) {
        const whole = lower.map((least, g) => random.whole(least, upper[g]!));
        const u = Math.max(0, constant - slopes.reduce((sum, slope, g) => sum + slope * whole[g]!, 0));
        expect(left(whole, u), `${i}`).toBeGreaterThan(-1e-9);
      }
    }
    expect(made).toBeGreaterThan(5_000);
  });
});
