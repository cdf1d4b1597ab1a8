import { expect, test } from 'vitest';
import { parseProfile, profileDocument, profileOf } from '../../src/profiles/profile-document.ts';
import { beyondSloThroughput, nearestGridPoint, throughputAt } from '../../src/profiles/throughput.ts';

const sample = {
  gpu: 'chat-l40s',
  cost: 1.9,
  tputs: [
    [7.0, 2.2],
    [2.0, 0.7],
  ],
  indexes: [
    [64, 256],
    [512, 2048],
  ],
  created: 1760000000.5,
  e2e: [
    [0.9, 1.7],
    [3.1, 4.4],
  ],
  slos: { percentile: 99, e2e: 5.0 },
};
const { cost: _, ...withoutCost } = sample;

test('rows are output ticks, columns input ticks', () => {
  const profile = profileOf(sample, 'p');
  expect(throughputAt(profile, 2048, 64)).toEqual({
    throughput: expect.closeTo(2.2, 12),
    e2eSeconds: expect.closeTo(1.7, 12),
    extrapolated: false,
  });
  expect(throughputAt(profile, 512, 256).throughput).toBeCloseTo(2.0, 12);
  expect(profile).toMatchObject({
    deployment: 'chat-l40s',
    cost: 1.9,
    slo: { percentile: 99, e2e: 5 },
    created: 1760000000.5,
  });
});

test('NaN parses and means never within the SLO, not a huge load', () => {
  const text =
    '{"gpu":"a NaN","cost":1,"indexes":[[64,128],[512,1024]],"tputs":[[NaN,5.0],[4.0,2.0]],"e2e":[[Infinity,1],[NaN,2]]}';
  const profile = parseProfile(text, 'p');
  expect(profile.deployment).toBe('a NaN');
  expect(throughputAt(profile, 512, 64).throughput).toBe(0);
  expect(throughputAt(profile, 1024, 64).throughput).toBeCloseTo(5, 12);
  expect(profile.e2eSeconds).toEqual([Number.NaN, Number.NaN, 1, 2]);
});

test('whole-numbered throughputs are numbers like any other', () => {
  const profile = profileOf(
    {
      ...sample,
      tputs: [
        [10, 5],
        [4, 2],
      ],
      indexes: [
        [64, 128],
        [512, 1024],
      ],
      e2e: null,
    },
    'p',
  );
  const load = 5 / throughputAt(profile, 512, 64).throughput + 5 / throughputAt(profile, 1024, 128).throughput;
  expect(load).toBeCloseTo(3.0, 12);
});

test('descending ticks are sorted together with the matrix', () => {
  const descending = {
    ...sample,
    tputs: [
      [0.7, 2.0],
      [2.2, 7.0],
    ],
    e2e: [
      [4.4, 3.1],
      [1.7, 0.9],
    ],
    indexes: [
      [256, 64],
      [2048, 512],
    ],
  };
  expect(profileOf(descending, 'p')).toEqual(profileOf(sample, 'p'));
});

test.each([
  ['a missing cost', withoutCost, 'p: cost: must be a number above 0, not missing'],
  ['a cost of nothing', { ...sample, cost: 0 }, 'p: cost: must be a number above 0, not 0'],
  [
    'a matrix of another shape',
    {
      ...sample,
      tputs: [
        [1, 2, 3],
        [1, 2, 3],
      ],
    },
    'p: tputs is 2 x 3, but indexes are 2 x 2 (output x input)',
  ],
  ['ragged rows', { ...sample, tputs: [[1, 2], [1]] }, 'p: tputs is 2 x 2|1, but indexes are 2 x 2 (output x input)'],
  ['no matrix', { ...sample, tputs: undefined }, 'p: tputs: must be a list, not missing'],
  ['no ticks', { ...sample, indexes: undefined }, 'p: indexes: must be a list, not missing'],
  [
    'a negative cell',
    {
      ...sample,
      tputs: [
        [7, 2.2],
        [-2, 0.7],
      ],
    },
    'p: tputs[1][0]: must be a number of at least 0, not -2',
  ],
  [
    'a cell that is text',
    {
      ...sample,
      tputs: [
        [7, '2.2'],
        [2, 0.7],
      ],
    },
    'p: tputs[0][1]: must be a number of at least 0, not "2.2"',
  ],
  [
    'a tick named twice',
    {
      ...sample,
      indexes: [
        [64, 64],
        [512, 2048],
      ],
    },
    'p: indexes[0] (output ticks) names 64 twice',
  ],
  [
    'a tick of 0 tokens',
    {
      ...sample,
      indexes: [
        [64, 256],
        [0, 2048],
      ],
    },
    'p: indexes[1][0]: must be a number above 0, not 0',
  ],
  [
    'no Deployment and no GPU type',
    { ...sample, gpu: undefined },
    'p: gpu is missing: the name of the Deployment it was measured for',
  ],
  ['no object', [], 'p: must be an object, not []'],
])('%s is refused, saying where and what', (_name, document, message) => {
  expect(() => profileOf(document, 'p')).toThrow(expect.objectContaining({ code: 'BAD_PROFILE', message }));
});

test('text that is no JSON is refused', () => {
  expect(() => parseProfile('{', 'profiles/l4.json')).toThrow('profiles/l4.json: not JSON');
});

test('a profile of ours may be for any Deployment on its GPU type', () => {
  const profile = profileOf({ ...sample, gpu: undefined, gpuType: 'L40S', gpusPerReplica: 2 }, 'p');
  expect(profile).toMatchObject({ deployment: null, gpu: 'L40S', gpusPerReplica: 2 });
});

test('a profile survives being written and read', () => {
  const profile = parseProfile('{"gpu":"x","cost":1,"indexes":[[64],[512,1024]],"tputs":[[NaN,5]],"e2e":[[NaN,1]]}', 'p');
  expect(profileOf(JSON.parse(JSON.stringify(profileDocument(profile))), 'p')).toEqual(profile);
});

test.each([
  {
    ticks: [64, 256],
    pairs: [
      [127, 0],
      [128, 1],
      [20, 0],
      [5000, 1],
    ],
  },
  {
    ticks: [128, 256, 512],
    pairs: [
      [181, 0],
      [182, 1],
    ],
  },
  {
    ticks: [64, 128, 512, 1024],
    pairs: [
      [90, 0],
      [91, 1],
      [255, 1],
      [256, 2],
      [724, 2],
      [725, 3],
    ],
  },
  {
    ticks: [1024],
    pairs: [
      [1, 0],
      [1024, 0],
      [99_999, 0],
    ],
  },
])('cases 35-38: nearest tick of $ticks', ({ ticks, pairs }) => {
  expect(pairs.map(([tokens]) => [tokens, nearestGridPoint(ticks, tokens as number)])).toEqual(pairs);
});

const grid = profileOf(
  {
    gpu: 'g',
    cost: 1,
    indexes: [
      [64, 256],
      [512, 2048],
    ],
    tputs: [
      [8, 2],
      [2, 0],
    ],
  },
  'p',
);

test('between ticks the load is the geometric mean at the geometric mean', () => {
  expect(throughputAt(grid, 1024, 64).throughput).toBeCloseTo(4, 12);
  expect(throughputAt(grid, 512, 128).throughput).toBeCloseTo(4, 12);
});

test('between a servable and an unservable tick the border is their geometric mean', () => {
  expect(throughputAt(grid, 1023, 256).throughput).toBeGreaterThan(0);
  expect(throughputAt(grid, 1024, 256).throughput).toBe(0);
  expect(throughputAt(grid, 2048, 127).throughput).toBeGreaterThan(0);
  expect(throughputAt(grid, 2048, 128).throughput).toBe(0);
});

test('beyond the SLO the load is that of the nearest servable tick, in proportion to tokens', () => {
  expect(beyondSloThroughput(grid, 2048, 256)).toBeCloseTo(2 / ((2048 + 256) / (512 + 256)), 9);
});

test('outside the grid: below it the edge holds, above it the load grows at least in proportion to tokens', () => {
  expect(throughputAt(grid, 10, 8)).toMatchObject({ throughput: expect.closeTo(8, 12), extrapolated: true });
  const far = throughputAt(grid, 8192, 64);
  expect(far.extrapolated).toBe(true);
  expect(far.throughput).toBeCloseTo(0.5, 12);
  expect(throughputAt(grid, 0, 0).throughput).toBeCloseTo(8, 12);
});

test('far outside the grid the slopes of both axes do not multiply', () => {
  // Twice the tokens, half the throughput, along each axis.
  const small = profileOf(
    {
      gpu: 'g',
      cost: 1,
      indexes: [
        [4, 8],
        [32, 64],
      ],
      tputs: [
        [8, 4],
        [4, 2],
      ],
    },
    'p',
  );
  const edge = throughputAt(small, 4 * 64, 4 * 8).throughput;
  expect(edge).toBeCloseTo(2 / 16, 12);
  expect(throughputAt(small, 1024, 128).throughput).toBeCloseTo(edge / 4, 12);
  expect(throughputAt(small, 8 * 64, 4 * 8).throughput).toBeCloseTo(edge / 2, 12);
  expect(throughputAt(small, 16 * 64, 8 * 8).throughput).toBeCloseTo(edge / 4, 12);
  // No step where it changes.
  expect(throughputAt(small, 4 * 64 + 1e-6, 32).throughput).toBeCloseTo(edge, 6);
});

test('outside the grid the load grows at least in proportion to tokens, however flat the grid is', () => {
  const flat = profileOf(
    {
      gpu: 'g',
      cost: 1,
      indexes: [
        [8, 16],
        [32, 64],
      ],
      tputs: [
        [4, 4],
        [4, 4],
      ],
    },
    'p',
  );
  for (const times of [2, 4, 8, 64]) expect(throughputAt(flat, times * 64, times * 16).throughput).toBeCloseTo(4 / times, 12);
});

test('a profile that serves nothing has no throughput at all', () => {
  const nothing = profileOf({ gpu: 'g', cost: 1, indexes: [[64], [512]], tputs: [[0]] }, 'p');
  expect([throughputAt(nothing, 512, 64).throughput, beyondSloThroughput(nothing, 512, 64)]).toEqual([0, 0]);
});

test('a cell whose time is not known is left out between those that are, and unknown alone', () => {
  const times = (cells: string) =>
    parseProfile(`{"gpu":"x","cost":1,"indexes":[[64,128],[512,1024]],"tputs":[[4,4],[4,4]],"e2e":${cells}}`, 'p');
  const some = times('[[2,NaN],[2,2]]');
  expect(throughputAt(some, 724, 90).e2eSeconds).toBeCloseTo(2, 9);
  expect(throughputAt(some, 1024, 64).e2eSeconds).toBeNaN();
  expect(throughputAt(times('[[NaN,NaN],[NaN,NaN]]'), 724, 90).e2eSeconds).toBeNaN();
});

test('less than one request per hour is no throughput', () => {
  const profile = parseProfile('{"gpu":"x","cost":1,"indexes":[[64],[512,1024,2048]],"tputs":[[1e-9,2.7e-4,0.001]]}', 'p');
  expect(profile.throughput).toEqual([0, 0, 0.001]);
});
