import type { PolicyOutcome, RunSample } from './policy-run.ts';

const [width, panelHeight, left, right, top, bottom] = [900, 170, 60, 150, 24, 26];
const colours = ['#0066cc', '#cc6600', '#228833', '#aa3377', '#888888', '#66ccee', '#bbbb22'];

interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/**
 * SVG of a comparison: the demand; per policy the Ready replicas by variant; the money spent. The same outcomes give the
 * same bytes.
 */
export const plotOf = (outcomes: readonly PolicyOutcome[]): string => {
  const samples = outcomes[0]?.samples ?? [];
  const variants = [...new Set(outcomes.flatMap((outcome) => Object.keys(outcome.samples[0]?.ready ?? {})))];
  const panels = [
    panel('demand (req/s)', samples, [{ name: 'demand', values: samples.map(({ demand }) => demand) }]),
    ...outcomes.map((outcome) =>
      panel(
        `Ready replicas: ${outcome.policy}`,
        outcome.samples,
        variants
          .filter((key) => key in (outcome.samples[0]?.ready ?? {}))
          .map((key) => ({
            name: key.slice(key.indexOf('/') + 1),
            values: outcome.samples.map(({ ready }) => ready[key] ?? 0),
          })),
      ),
    ),
    panel(
      'money spent',
      samples,
      outcomes.map(({ policy, samples: own }) => ({ name: policy, values: own.map(({ cost }) => cost) })),
    ),
  ];
  const height = panels.length * panelHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    '<rect width="100%" height="100%" fill="white"/>',
    ...panels.map((text, index) => `<g transform="translate(0 ${index * panelHeight})">\n${text}\n</g>`),
    '</svg>\n',
  ].join('\n');
};

const panel = (title: string, samples: readonly RunSample[], lines: readonly Line[]): string => {
  const seconds = samples.at(-1)?.time ?? 1;
  const most = Math.max(1e-9, ...lines.flatMap(({ values }) => values)) * 1.05;
  const x = (time: number): string => (left + (time / seconds) * (width - left - right)).toFixed(1);
  const y = (value: number): string => (panelHeight - bottom - (value / most) * (panelHeight - top - bottom)).toFixed(1);
  const axis = panelHeight - bottom;
  return [
    `<text x="${left}" y="16" font-weight="bold">${escaped(title)}</text>`,
    `<path d="M${left} ${top}V${axis}H${width - right}" fill="none" stroke="#999"/>`,
    ...[0, most / 2.1, most / 1.05].map(
      (value) => `<text x="${left - 6}" y="${y(value)}" text-anchor="end">${value.toPrecision(3)}</text>`,
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map(
      (share) =>
        `<text x="${x(share * seconds)}" y="${axis + 16}" text-anchor="middle">${((share * seconds) / 60).toFixed(0)} min</text>`,
    ),
    ...lines.map(({ name, values }, index) => {
      const colour = colours[index % colours.length];
      const points = values.map((value, at) => `${x(samples[at]?.time ?? 0)} ${y(value)}`).join('L');
      return `<path d="M${points}" fill="none" stroke="${colour}" stroke-width="1.5"/><text x="${width - right + 8}" y="${top + 12 + 15 * index}" fill="${colour}">${escaped(name)}</text>`;
    }),
  ].join('\n');
};

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
