import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { driftGauge, plannerRegistry } from '../src/planner/publish/planner-metrics.ts';
import { driftLimits } from '../src/profiles/drift.ts';

const { spec } = parse(readFileSync(join(import.meta.dirname, '../manifests/samples/prometheus/rules.yaml'), 'utf8'));
const rules = spec.groups.flatMap(({ rules: some }: { rules: { alert: string; expr: string }[] }) => some);

test('alerts are on metrics that gpumix has', async () => {
  const nothing = { allTargets: () => [], models: () => [], plan: () => null, publishedAt: () => null };
  const registry = plannerRegistry(
    nothing,
    () => true,
    () => 0,
  );
  driftGauge(registry, () => new Map());
  const known = registry.getMetricsAsArray().map(({ name }) => name);
  const asked = rules.flatMap(({ expr }: { expr: string }) => expr.match(/gpumix_\w+/g) ?? []);
  expect(asked.length).toBeGreaterThanOrEqual(rules.length);
  expect(asked.filter((name: string) => !known.includes(name))).toEqual([]);
});

test('the alert on drift has the limits by which a profile disagrees', () => {
  const { expr } = rules.find(({ alert }: { alert: string }) => alert === 'GpumixProfileDrift');
  expect(expr).toBe(`gpumix_profile_drift < ${driftLimits.least} or gpumix_profile_drift > ${driftLimits.most}`);
});

test('the gauge of drift has a value for each Deployment of which something is known', async () => {
  const nothing = { allTargets: () => [], models: () => [], plan: () => null, publishedAt: () => null };
  const registry = plannerRegistry(
    nothing,
    () => true,
    () => 0,
  );
  const drift = { ratio: 1.5, servedRate: 3, profiledRate: 2, missedShare: 0 };
  driftGauge(registry, () => new Map([['serving/a', drift]]));
  expect(await registry.metrics()).toContain('gpumix_profile_drift{namespace="serving",deployment="a"} 1.5');
});
