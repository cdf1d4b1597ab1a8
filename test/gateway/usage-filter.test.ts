import fc from 'fast-check';
import { expect, test } from 'vitest';
import { usageFilter } from '../../src/gateway/usage-filter.ts';

const token = 'data: {"choices":[{"index":0,"delta":{"content":"wörd"}}],"usage":null}\n\n';
const last = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n';
const usage = 'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}\n\n';
const done = 'data: [DONE]\n\n';
const whole = `: ping\n\n${token}${token}${last}${usage}${done}`;

const through = (text: string, strip: boolean, cuts: readonly number[] = []) => {
  const filter = usageFilter(strip);
  const bytes = Buffer.from(text);
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const out: Buffer[] = [];
  let start = 0;
  for (const end of ends) {
    out.push(Buffer.from(filter.take(bytes.subarray(start, end))));
    start = end;
  }
  out.push(Buffer.from(filter.rest()));
  return {
    text: Buffer.concat(out).toString(),
    usage: filter.usage(),
    content: filter.contentEvents(),
    done: filter.done(),
    failed: filter.failed(),
  };
};

test('wherever the pieces end, the counts are read and taken out', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2000)), fc.boolean(), fc.boolean(), (cuts, strip, dos) => {
      const text = dos ? whole.replaceAll('\n', '\r\n') : whole;
      const event = dos ? usage.replaceAll('\n', '\r\n') : usage;
      expect(through(text, strip, cuts)).toEqual({
        text: strip ? text.replace(event, '') : text,
        usage: { inputTokens: 9, outputTokens: 2 },
        content: 2,
        done: true,
        failed: false,
      });
    }),
  );
});

test('whole events go on at once; only what is no event yet is held back', () => {
  const filter = usageFilter(true);
  expect(filter.take(Buffer.from(`${token}data: {"ch`)).toString()).toBe(token);
  expect(filter.take(Buffer.from(`oices":[]}\n\n`)).toString()).toBe('data: {"choices":[]}\n\n');
});

test('counts beside text stay, and the last ones count', () => {
  const event = (tokens: number) =>
    `data: {"choices":[{"text":"a"}],"usage":{"prompt_tokens":5,"completion_tokens":${tokens}}}\n\n`;
  const { text, usage: found, content } = through(event(1) + event(2) + done, true);
  expect([text, found, content]).toEqual([event(1) + event(2) + done, { inputTokens: 5, outputTokens: 2 }, 2]);
});

test('a stream without counts tells how much it carried; its broken end goes on too', () => {
  const { text, usage: found, content } = through(`${token}${token}data: {"cho`, true);
  expect([text, found, content]).toEqual([`${token}${token}data: {"cho`, null, 2]);
});

test.each([
  ['{"error":{"message":"CUDA out of memory","code":500}}', '', true],
  ['{"error": "too long"}', '', true],
  ['{"object":"error","message":"x"}', '', true],
  ['the engine has died', 'event: error\n', true],
  ['{"choices":[{"text":"{\\"error\\":{}}"}]}', '', false],
  ['{"choices":[{"text":"a"}],"error":null}', '', false],
  ['{"choices":[{"delta":{"error":"x"}}]}', '', false],
])('an event of %s with "%s" before it has failed: %s', (data, before, failed) => {
  const event = `${before}data: ${data}\n\n`;
  for (const [text, cuts] of [
    [event + done, []],
    [event.replaceAll('\n', '\r\n') + done, [3, 11, 20]],
  ] as const) {
    const seen = through(token + text, true, cuts);
    expect([seen.text, seen.failed, seen.done]).toEqual([token + text, failed, true]);
  }
});

test('an event without end is passed on as it comes', () => {
  const filter = usageFilter(true);
  const huge = Buffer.alloc((1 << 20) + 1, 'x');
  expect(filter.take(huge)).toHaveLength(huge.length);
});
