import { expect, test } from 'vitest';
import { plannerRegistry } from '../../../src/planner/publish/planner-metrics.ts';
import { targetOf, troubledModel } from '../../helpers/tick-outcomes.ts';

test('gauges say what stands now, and nothing of what has no answer', async () => {
  const published = {
    allTargets: () => [targetOf('a', { replicas: 4, asOf: 990 }), targetOf('b', { unavailable: 'stale' })],
    models: () => [troubledModel],
    plan: () => null,
    publishedAt: () => 998,
  };
  const text = await plannerRegistry(
    published,
    () => true,
    () => 1000,
  ).metrics();
  const values = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(values).toEqual([
    'gpumix_target_replicas{namespace="ns",deployment="a"} 4',
    'gpumix_model_state{model="m",state="fresh"} 1',
    'gpumix_arrival_rate{model="m"} 3.5',
    'gpumix_engine_strain{model="m"} 1.25',
    'gpumix_unserved_rate{model="m",reason="stock"} 1.5',
    'gpumix_beyond_slo_rate{model="m"} 0.5',
    'gpumix_data_age_seconds{model="m"} 10',
    'gpumix_record_defect{model="m",counts="arrivals"} 1',
    'gpumix_cannot_wake{model="m"} 0',
    'gpumix_swap_blocked{model="m"} 1',
    'gpumix_startup_seconds{namespace="ns",deployment="a"} 90',
    'gpumix_out_of_stock{namespace="ns",deployment="a"} 1',
    'gpumix_not_followed{namespace="ns",deployment="a"} 0',
    'gpumix_held_by_tolerance{namespace="ns",deployment="a"} 1',
    'gpumix_extrapolated_share{namespace="ns",deployment="a"} 0.25',
    'gpumix_leader 1',
    'gpumix_tick_age_seconds 2',
  ]);
});
