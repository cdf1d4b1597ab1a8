import { timeText } from '../benchmark/duration.ts';
import type { Size } from '../benchmark/sizes.ts';
import type { SweepEvent } from '../benchmark/sweep.ts';
import type { CommandStreams } from './command.ts';
import { passingLine } from './progress.ts';
import { wrapped } from './wrap.ts';

/** What a measurement will be, at most. */
export interface Expected {
  readonly sizes: number;
  readonly seconds: number;
  /** Highest rate that is tried (req/s). */
  readonly rateLimit: number;
}

export interface BenchmarkProgress {
  say(text: string): void;
  tell(event: SweepEvent): void;
  /** No more is measured. */
  end(): void;
}

/**
 * What `benchmark` says while it measures: a line for each rate and each size; on a terminal, between them, what is being
 * measured and how long that, and all, still takes.
 * @param clock ms
 */
export const benchmarkProgress = (
  io: CommandStreams,
  { sizes, seconds, rateLimit }: Expected,
  clock: () => number = () => performance.now(),
): BenchmarkProgress => {
  const line = passingLine(io, clock);
  let measured = { text: 'one request alone', since: clock() };
  let left = { done: 0, until: clock() + 1000 * seconds };
  const show = (): void => {
    const [now, { done }] = [clock(), left];
    const rest = timeText(Math.max(0, left.until - now) / 1000);
    line.show(
      `${measured.text}, ${timeText((now - measured.since) / 1000)}; ${done} of ${sizes} sizes, ${done === 0 ? 'at most' : 'about'} ${rest} left`,
    );
  };
  // As is told of every other long work, four times a second at most.
  const beat = setInterval(show, 500).unref();
  const say = (text: string): void => {
    line.end();
    io.stderr(`${wrapped(`gpumix benchmark: ${text}`, io.errorColumns)}\n`);
  };
  return {
    say,
    tell: (event) => {
      if (event.kind === 'begins') {
        measured = { text: `${sizeText(event.size)} at ${event.rate} req/s`, since: clock() };
        show();
        return;
      }
      if (event.kind === 'size') {
        left = { done: event.done, until: clock() + 1000 * event.secondsLeft };
        measured = { text: 'the next size', since: clock() };
      }
      say(eventText(event, rateLimit));
    },
    end: () => {
      clearInterval(beat);
      line.end();
    },
  };
};

const sizeText = ({ inputTokens, outputTokens }: Size): string => `${inputTokens} in, ${outputTokens} out`;

/** A client that is late by more has measured itself (s). */
const tooLate = 0.05;

const eventText = (event: Exclude<SweepEvent, { readonly kind: 'begins' }>, rateLimit: number): string => {
  const size = sizeText(event.size);
  if (event.kind === 'size') {
    const { refused, served, done, of, secondsLeft: left } = event;
    const more = served >= rateLimit ? ' and perhaps more: that is the --rate-limit' : '';
    const found = served > 0 ? `${served} req/s${more}` : refused === null ? 'no rate keeps the SLO' : `refused: ${refused}`;
    return `${size}: ${found}; ${done} of ${of} sizes, ${done === of ? 'done' : `about ${timeText(left)} left`}`;
  }
  const { result, rate, kept, measurements } = event;
  const p99 = (metric: string): string =>
    `${Number((measurements.find((row) => row.metric === metric)?.values.P99 ?? Number.NaN).toPrecision(3))} s`;
  return [
    `${size}: ${rate} req/s ${kept ? 'kept' : result.hopeless ? 'given up' : 'not kept'}`,
    `${result.samples.length} requests, p99 TTFT ${p99('TTFT')}, TPOT ${p99('TPOT')}`,
    ...[...result.failures].map(([why, count]) => `${count} failed: ${why}`),
    ...(result.short > 0 ? [`${result.short} answers were short`] : []),
    ...(result.lateSeconds > tooLate ? [`this client was up to ${result.lateSeconds.toFixed(2)} s late`] : []),
  ].join('; ');
};
