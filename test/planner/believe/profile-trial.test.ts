import { describe, expect, test } from 'vitest';
import { judgeProfile, type ProfileTrial, type TrialVerdict } from '../../../src/planner/believe/profile-trial.ts';
import type { Shape } from '../../../src/planner/believe/rates-and-shapes.ts';
import { type FoundProfile, profileOf } from '../../../src/profiles/profile-document.ts';

/** Serves so many req/s of 512 and of 2048 tokens in, 64 out. */
const document = (digest: string, short: number, long: number): FoundProfile => ({
  profile: profileOf(
    { gpu: 'a', cost: 1, indexes: [[64], [512, 2048]], tputs: [[short, long]], slos: { percentile: 99, ttft: 2 } },
    'a',
  ),
  source: 'KEY',
  seenAt: 0,
  digest,
});
const long: Shape = [{ inputTokens: 2048, outputTokens: 64, share: 1 }];
/** Documents that come one after the other, each seen at two ticks. */
const judgedAfter = (...documents: readonly (readonly [FoundProfile, (Shape | null)?, (string | null)?])[]): TrialVerdict => {
  let trial: ProfileTrial | undefined;
  let judged: TrialVerdict | undefined;
  for (const [found, shape = long, confirmed = null] of documents)
    for (let tick = 0; tick < 2; tick += 1) {
      judged = judgeProfile(trial, found, shape, confirmed);
      trial = judged.trial;
    }
  return judged!;
};
const good = document('good', 10, 4);

describe('the first document', () => {
  test('that serves what arrives is followed', () => {
    expect(judgedAfter([good])).toMatchObject({ found: good, lowersNothing: false, problem: null });
  });

  test('that serves none of it lowers nothing, and says what limit nothing meets', () => {
    const none = judgedAfter([document('none', 10, 0)]);
    expect(none.lowersNothing).toBe(true);
    expect(none.problem).toBe(
      'the profile KEY serves none of the sizes that arrive within its limits (TTFT 2 s, at p99): what runs stands',
    );
  });

  test('once it has served what arrived, other sizes are an ordinary change of demand', () => {
    const found = document('some', 10, 0);
    const short: Shape = [{ inputTokens: 512, outputTokens: 64, share: 1 }];
    expect(judgedAfter([found, short], [found, long])).toMatchObject({ lowersNothing: false, problem: null });
  });

  test('where nothing has arrived nothing is known against it', () => {
    expect(judgedAfter([document('none', 10, 0), null])).toMatchObject({ lowersNothing: false, problem: null });
  });
});

describe('a new document', () => {
  test('within four times the last one is followed', () => {
    const better = document('better', 40, 15.9);
    expect(judgedAfter([good], [better])).toMatchObject({ found: better, lowersNothing: false, problem: null });
  });

  test('that serves less is followed', () => {
    const less = document('less', 1, 0.1);
    expect(judgedAfter([good], [less]).found).toBe(less);
  });

  test('that serves none of what arrives is not', () => {
    const judged = judgedAfter([good], [document('none', 10, 0)]);
    expect(judged.found).toBe(good);
    expect(judged.problem).toMatch(/serves none of the sizes that arrive .*: the last one stands$/);
  });

  const huge = document('huge', 1000, 400);
  test('of more than four times the last one is held, and named with its digest', () => {
    const judged = judgedAfter([good], [huge]);
    expect(judged.found).toBe(good);
    expect(judged.problem).toBe(
      'the profile KEY says 100.0 times the throughput of the one before: the last one stands until a second document says the same, or the annotation gpumix.io/profile-confirmed: "huge"',
    );
  });

  test('is followed when a second document says about the same, but not when it only stays', () => {
    const second = document('second', 900, 350);
    expect(judgedAfter([good], [huge], [second]).found).toBe(second);
    expect(judgedAfter([good], [huge], [huge]).found).toBe(good);
  });

  test('is not confirmed by one that says far more still', () => {
    expect(judgedAfter([good], [huge], [document('more', 1e5, 1e5)]).found).toBe(good);
  });

  test('is followed when the annotation names it, and only then', () => {
    expect(judgedAfter([good], [huge], [huge, long, 'huge'])).toMatchObject({ found: huge, problem: null });
    expect(judgedAfter([good], [huge], [huge, long, 'good']).found).toBe(good);
  });

  test('is held until the last one is back', () => {
    expect(judgedAfter([good], [huge], [good])).toMatchObject({ found: good, problem: null });
  });
});

describe('after a restart the last document is not there, but what it served is known', () => {
  const remembered: ProfileTrial = { digest: 'good', found: null, workPerRequest: 0.25, proven: true, heldBack: null };

  test('the same document is followed', () => {
    expect(judgeProfile(remembered, good, long, null)).toMatchObject({ found: good, lowersNothing: false, problem: null });
  });

  test('one of more than four times that lowers nothing', () => {
    const judged = judgeProfile(remembered, document('huge', 1000, 400), long, null);
    expect(judged.lowersNothing).toBe(true);
    expect(judged.problem).toMatch(/100.0 times the throughput of the one before: what runs stands until/);
  });

  test('one that serves none of what arrives lowers nothing', () => {
    expect(judgeProfile(remembered, document('none', 10, 0), long, null).lowersNothing).toBe(true);
  });
});
