import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { recordKey } from '../src/workload/histogram.ts';
import { recordWriter } from '../src/workload/record-writer.ts';
import { redisDefaults, redisStore } from '../src/workload/redis.ts';
import { fieldsOf, seenIntervals } from '../test/helpers/gateway-samples.ts';
import { startRedisServer } from './gateway/processes.ts';

/**
 * What AIBrix's own reader makes of the records that gpumix's gateways write, by way of a real Redis.
 *   python3 -m venv VENV && VENV/bin/pip install 'aibrix[gpu-optimizer]==0.8.0'
 *   GPUMIX_AIBRIX_VENV=VENV node hack/golden-records.ts [--write]
 * Compares test/fixtures/records/golden.json with the reader's answers of now, or writes it. Exit 1 where they differ, 3 where
 * there is no reader.
 */
const venv = process.env['GPUMIX_AIBRIX_VENV'] ?? '';
const python = join(venv, 'bin/python');
const read = `
import json, sys, logging
from redis import Redis
from aibrix.gpu_optimizer.load_monitor.load_reader import GatewayLoadReader
client = Redis(port=int(sys.argv[1]))
found = {}
for model in sys.argv[2:]:
    records, rate = GatewayLoadReader(client, model).read(1.0)
    found[model] = {"rate": rate, "records": sorted([r.input_tokens, r.output_tokens, r.freq] for r in records)}
print(json.dumps(found))
`;

if (venv === '' || !existsSync(python)) {
  console.log('golden records: not run: set GPUMIX_AIBRIX_VENV to a virtual environment with aibrix[gpu-optimizer] 0.8.0');
  process.exitCode = 3;
} else {
  const redis = await startRedisServer();
  const store = redisStore({ ...redisDefaults, redisUrl: redis.url }, () => {});
  const time = Math.floor((await store.time()) / 10) * 10;
  for (const seen of seenIntervals)
    for (const [index, fields] of fieldsOf(seen).entries())
      await recordWriter(store, { instance: `gateway-${index}`, keyPrefix: 'gpumix:', intervalSeconds: 10 }).write(
        [{ model: seen.name, time, round: 1, fields }],
        time,
      );
  const texts = await store.read(seenIntervals.map(({ name }) => recordKey(name, time)));
  const names = seenIntervals.map(({ name }) => name);
  const answers = JSON.parse(execFileSync(python, ['-c', read, new URL(redis.url).port, ...names], { encoding: 'utf8' }));
  await store.close();
  await redis.stop();
  const found = names.map((name, index) => ({
    name,
    written: JSON.parse(texts[index] ?? 'null'),
    read: answers[name],
  }));
  const file = join(import.meta.dirname, '../test/fixtures/records/golden.json');
  if (process.argv.includes('--write')) writeFileSync(file, `[\n${found.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`);
  const same = isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), found);
  console.log(`golden records: ${found.length} ${same ? 'agree' : 'differ'}`);
  process.exitCode = same ? 0 : 1;
}
