import { expect, test } from 'vitest';
import { decodeRecord, recordKey } from '../../src/workload/histogram.ts';
import { memoryStore } from '../../src/workload/memory-store.ts';
import { recordWriter } from '../../src/workload/record-writer.ts';
import golden from '../fixtures/records/golden.json' with { type: 'json' };
import { fieldsOf, seenIntervals } from '../helpers/gateway-samples.ts';

/** What PyPI aibrix 0.8.0 read of these records: see hack/golden-records.ts. */
test.each(seenIntervals)('AIBrix reads what our gateways write: $name', async (seen) => {
  const store = memoryStore(() => 10);
  for (const [index, fields] of fieldsOf(seen).entries())
    await recordWriter(store, { instance: `gateway-${index}`, keyPrefix: 'gpumix:', intervalSeconds: 10 }).write(
      [{ model: 'm', time: 10, round: 1, fields }],
      10,
    );
  const [text] = await store.read([recordKey('m', 10)]);
  const { written, read } = golden.find(({ name }) => name === seen.name)!;
  expect(JSON.parse(text!)).toEqual(written);
  const record = decodeRecord(text!, '');
  expect(read.rate).toBe(record.arrivals / 10);
  const sizes = read.records.flatMap(([input = 0, output = 0, count = 0]) =>
    input === 0 && output === 0 ? [] : [[2 ** input, 2 ** output, count]],
  );
  const ours = record.completions.map(({ inputTokens, outputTokens, count }) => [inputTokens, outputTokens, count]);
  expect(ours.sort()).toEqual(sizes.sort());
  const unknown = read.records.find(([input, output]) => input === 0 && output === 0);
  expect(record.unknownSize).toBe(unknown?.[2] ?? 0);
});
