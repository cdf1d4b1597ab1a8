/**
 * Writes schemas/: the formats of the documents that gpumix reads and writes, as JSON Schemas.
 *
 *   node hack/schemas.ts           write them
 *   node hack/schemas.ts --check   fail where one differs
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { toJSONSchema } from 'zod/mini';
import { stockSchema } from '../src/cluster/stock.ts';
import { pricesSchema } from '../src/config/serve-config.ts';
import { endpointsSchema } from '../src/gateway/static-endpoints.ts';
import { snapshotSchema } from '../src/planner/plan/snapshot-document.ts';
import { profileSchema } from '../src/profiles/profile-document.ts';
import { planSchema, routingPlanSchema } from './plan-schemas.ts';

const schemas = {
  profile: { title: 'A profile: what one replica serves within its SLO, by request size', schema: profileSchema },
  snapshot: { title: 'A snapshot, which gpumix plan reads', schema: snapshotSchema },
  plan: { title: 'A plan: the answer to a snapshot', schema: planSchema },
  'routing-plan': { title: 'A routing plan: where requests of each input size go', schema: routingPlanSchema },
  stock: { title: 'stock.yaml in the ConfigMap of GPU limits (--stock-config)', schema: stockSchema },
  endpoints: { title: 'The file of endpoints that a gateway reads in place of Kubernetes', schema: endpointsSchema },
  prices: { title: 'The file of prices (--prices): per GPU and hour, by type', schema: pricesSchema },
};

const folder = join(import.meta.dirname, '../schemas');
for (const [name, { title, schema }] of Object.entries(schemas)) {
  const file = join(folder, `${name}.schema.json`);
  const document = JSON.parse(JSON.stringify({ title, ...toJSONSchema(schema, { io: 'input' }) }));
  if (existsSync(file) && isDeepStrictEqual(JSON.parse(readFileSync(file, 'utf8')), document)) continue;
  if (process.argv.includes('--check')) {
    console.error(`schemas/${name}.schema.json differs: run npm run update`);
    process.exitCode = 1;
  } else {
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  }
}
