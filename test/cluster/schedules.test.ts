import { expect, test } from 'vitest';
import { type AutoscalerBounds, boundsOfPodAutoscaler, rememberVanished } from '../../src/cluster/bounds.ts';
import { type Schedule, scheduleAt } from '../../src/cluster/schedules.ts';

/** 2026-11-30 is a Monday. */
const at = (time: string): number => Date.parse(time) / 1000;
const office: Schedule = { daysOfWeek: ['Monday', 'Fri'], startTime: '09:00', endTime: '18:00' };
const night: Schedule = { daysOfWeek: ['monday'], startTime: '22:00', endTime: '06:00' };
const berlin: Schedule = { startTime: '09:00', endTime: '10:00', timezone: 'Europe/Berlin' };

test.each([
  { name: 'at its start', schedule: office, time: '2026-11-30T09:00:00Z', within: true },
  { name: 'at its end', schedule: office, time: '2026-11-30T18:00:00Z', within: false },
  { name: 'on another day', schedule: office, time: '2026-12-01T12:00:00Z', within: false },
  { name: 'before midnight', schedule: night, time: '2026-11-30T23:00:00Z', within: true },
  { name: 'after midnight, begun on its day', schedule: night, time: '2026-12-01T05:59:00Z', within: true },
  { name: 'after midnight, begun on another day', schedule: night, time: '2026-11-30T05:00:00Z', within: false },
  { name: 'in winter time', schedule: berlin, time: '2026-11-30T08:30:00Z', within: true },
  { name: 'in summer time', schedule: berlin, time: '2026-07-30T07:30:00Z', within: true },
  {
    name: 'in a zone that is none',
    schedule: { ...berlin, timezone: 'Mars/Base' },
    time: '2026-11-30T09:30:00Z',
    within: false,
  },
])('a window, $name', ({ schedule, time, within }) => {
  expect(scheduleAt([schedule], at(time))).toBe(within ? schedule : null);
});

test('bounds within a window replace the usual ones of a PodAutoscaler; what it does not name stays', () => {
  const object = {
    metadata: { name: 'p', namespace: 'ns' },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'd' },
      minReplicas: 1,
      maxReplicas: 4,
      schedules: [
        { ...office, minReplicas: 3, maxReplicas: 9 },
        { ...night, minReplicas: 0 },
      ],
    },
  };
  const items = new Map<string, AutoscalerBounds>([['ns/p', boundsOfPodAutoscaler(object)!]]);
  const bounds = rememberVanished([items]);
  expect(bounds(at('2026-11-30T07:00:00Z')).get('ns/d')).toEqual({ minReplicas: 1, maxReplicas: 4 });
  expect(bounds(at('2026-11-30T12:00:00Z')).get('ns/d')).toEqual({ minReplicas: 3, maxReplicas: 9 });
  expect(bounds(at('2026-11-30T22:30:00Z')).get('ns/d')).toEqual({ minReplicas: 0, maxReplicas: 4 });
});
