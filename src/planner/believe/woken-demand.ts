import { type DemandRow, totalRate } from '../../vocabulary/planning-documents.ts';
import { noiseMargin } from './attainment-margin.ts';
import type { DemandSettings, DemandSources } from './demand.ts';
import type { Forecast } from './forecast.ts';
import { demandOf, mergedDemand } from './rates-and-shapes.ts';
import { requestWorks } from './request-work.ts';
import { type ForeseenWaking, foreseenWaking, type WakingHistory } from './waking-ahead.ts';

/** What an idle model is woken for. */
export interface WokenDemand {
  readonly demand: readonly DemandRow[];
  readonly forecast: Forecast;
  readonly headroom: number;
  readonly noise: number;
  /** For people. */
  readonly reason: string;
}

export type WakingSources = Pick<DemandSources, 'aliases' | 'arrivalShare' | 'strains' | 'candidates'> & {
  readonly wakings: ReadonlyMap<string, WakingHistory>;
};

/** Beyond its startup a replica needs a tick, an autoscaler's turn and a place (s). */
const leadSeconds = 60;

/**
 * Traffic that came at this time on earlier days, of the sizes that it had when it came last; null = none that is to be
 * believed.
 */
export const wokenDemand = (sources: WakingSources, now: number, settings: DemandSettings): WokenDemand | null => {
  const due = sources.aliases.flatMap((name) => {
    const history = sources.wakings.get(name);
    const waking = foreseenWaking(history, now, settings.startupSeconds + leadSeconds);
    const shape = history?.shape ?? null;
    if (waking === null || shape === null) return [];
    const noise = noiseOf(waking, requestWorks(shape, sources.candidates).spread, settings);
    const headroom = Math.max(settings.headroom, noise);
    const work = waking.rate * (sources.strains.get(name)?.factor ?? 1) * sources.arrivalShare;
    return [{ waking, noise, headroom, demand: demandOf(work, shape, headroom) }];
  });
  if (due.length === 0) return null;
  const rate = due.reduce((sum, { waking }) => sum + waking.rate, 0) * sources.arrivalShare;
  const headroomRate = due.reduce((sum, { waking, headroom }) => sum + headroom * waking.rate, 0) * sources.arrivalShare;
  const { came, days } = due.map(({ waking }) => waking).reduce(larger);
  const demand = mergedDemand(due.map(({ demand: ofName }) => ofName));
  return totalRate(demand) === 0
    ? null
    : {
        demand,
        forecast: { method: 'time of day', rate },
        headroom: rate === 0 ? 0 : headroomRate / rate,
        noise: Math.max(...due.map(({ noise }) => Math.max(settings.headroom / 2, noise))),
        reason: `woken ahead: traffic came at this time on ${came} of ${days} days`,
      };
};

/** As for traffic of that rate that has come for a whole window. */
const noiseOf = ({ rate }: ForeseenWaking, spread: number, { attainment, windowSeconds }: DemandSettings): number =>
  attainment === null ? 0 : noiseMargin({ rate, windowSeconds, spread, backlog: 0 }, attainment);

const larger = (a: ForeseenWaking, b: ForeseenWaking): ForeseenWaking => (b.rate > a.rate ? b : a);
