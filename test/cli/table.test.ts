import { expect, test } from 'vitest';
import { columns } from '../../src/cli/table.ts';

const rows = [
  ['POLICY', 'COST'],
  ['a', '12.00'],
  ['longer name', '7'],
];

test('each column is as wide as its widest cell, and no line ends in blanks', () =>
  expect(columns(rows)).toEqual(['POLICY       COST', 'a            12.00', 'longer name  7']));

test('numbers stand to the right', () =>
  expect(columns(rows, 1)).toEqual(['POLICY        COST', 'a            12.00', 'longer name      7']));
