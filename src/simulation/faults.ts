import { GpumixError } from '../vocabulary/errors.ts';
import type { StoreState } from './faulty-store.ts';

/** What can go wrong; `gpu`: with one GPU type, or where none is named with all of them. `lasts`: it needs an end. */
export const faultKinds = {
  'redis-away': { gpu: false, lasts: true, help: 'Redis refuses connections, and records of that time are lost' },
  'redis-slow': { gpu: false, lasts: true, help: 'three of four ticks time out' },
  'redis-read-only': { gpu: false, lasts: true, help: 'Redis takes no writes' },
  'redis-empty': { gpu: false, lasts: false, help: 'Redis restarts without its data' },
  'gateway-lost': { gpu: false, lasts: true, help: 'requests flow, but nobody writes records or heartbeats' },
  'sold-out': { gpu: true, lasts: true, help: 'no new pod finds a GPU; running pods stay' },
  'pods-late': { gpu: true, lasts: true, help: 'new pods start only when the fault ends' },
  drain: { gpu: true, lasts: false, help: 'a new pod replaces every pod, which ends after its last request' },
} as const;
export type FaultKind = keyof typeof faultKinds;

export interface Fault {
  readonly kind: FaultKind;
  /** null = every type. */
  readonly gpu: string | null;
  /** Seconds since the start; `until` is not part of it. */
  readonly from: number;
  readonly until: number;
}

/**
 * Faults as a user writes them: `redis-away@600-900,sold-out:H100@600-1800,drain@1200`.
 * @throws GpumixError BAD_USAGE
 */
export const parseFaults = (text: string, gpus: readonly string[]): readonly Fault[] =>
  text.split(',').map((part) => {
    const wrong = (what: string): never => {
      throw new GpumixError('BAD_USAGE', `--faults has ${JSON.stringify(part)}: ${what}`);
    };
    const [, name = '', gpu, begin, end] = /^([a-z-]+)(?::([^@]+))?@(\d+)(?:-(\d+))?$/.exec(part.trim()) ?? [];
    if (begin === undefined) return wrong('not KIND[:GPU]@FROM[-UNTIL]');
    if (!(name in faultKinds)) return wrong(`not one of ${Object.keys(faultKinds).join(', ')}`);
    const kind = name as FaultKind;
    const { lasts, gpu: ofGpu } = faultKinds[kind];
    if (gpu !== undefined && !ofGpu) return wrong(`${kind} is not of a GPU type`);
    if (gpu !== undefined && !gpus.includes(gpu)) return wrong(`the GPU types are ${gpus.join(', ')}`);
    if (lasts !== (end !== undefined)) return wrong(`${kind} ${lasts ? 'needs an end' : 'has no end'}`);
    const [from, until] = [Number(begin), Number(end ?? begin)];
    if (lasts && until <= from) return wrong('it ends before it begins');
    return { kind, gpu: gpu ?? null, from, until };
  });

const isOf = (gpu: string, fault: Fault): boolean => fault.gpu === null || fault.gpu === gpu;
const lasting = (faults: readonly Fault[], kind: FaultKind, time: number): readonly Fault[] =>
  faults.filter((fault) => fault.kind === kind && fault.from <= time && time < fault.until);

export const gatewayLost = (faults: readonly Fault[], time: number): boolean => lasting(faults, 'gateway-lost', time).length > 0;

export const storeState = (faults: readonly Fault[], time: number): StoreState => {
  const states = [
    ['redis-away', 'away'],
    ['redis-slow', 'slow'],
    ['redis-read-only', 'read-only'],
  ] as const;
  return states.find(([kind]) => lasting(faults, kind, time).length > 0)?.[1] ?? 'up';
};

/** How often the store has lost its data by this time. */
export const timesEmptied = (faults: readonly Fault[], time: number): number =>
  faults.filter(({ kind, from }) => kind === 'redis-empty' && from <= time).length;

export const soldOut = (faults: readonly Fault[], gpu: string, time: number): boolean =>
  lasting(faults, 'sold-out', time).some((fault) => isOf(gpu, fault));

/** When a pod that is placed at this time begins to start (s). */
export const startsAt = (faults: readonly Fault[], gpu: string, time: number): number =>
  Math.max(
    time,
    ...lasting(faults, 'pods-late', time)
      .filter((fault) => isOf(gpu, fault))
      .map(({ until }) => until),
  );

/** Drains in order of time. */
export const drains = (faults: readonly Fault[]): readonly Fault[] =>
  faults.filter(({ kind }) => kind === 'drain').toSorted((a, b) => a.from - b.from);
