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

test('counts beside text are read and taken out, the last ones count, and the rest keeps its digits', () => {
  const event = (tokens: number, between = '') =>
    `id: 7\ndata: {"choices":[{"text":"a"}]${between},"created":12345678901234567890}\n\n`.replaceAll('#', String(tokens));
  const counted = (tokens: number) => event(tokens, ',"usage":{"prompt_tokens":5,"completion_tokens":#}');
  const { text, usage: found, content } = through(counted(1) + counted(2) + done, true);
  expect([text, found, content]).toEqual([event(1) + event(2) + done, { inputTokens: 5, outputTokens: 2 }, 2]);
  expect(through(counted(1) + done, false).text).toBe(counted(1) + done);
});

test.each(['"choices":null,', '', '"choices":[],'])('counts with {%s} are no more than counts', (choices) => {
  const event = `data: {${choices}"usage":{"prompt_tokens":5,"completion_tokens":1}}\n\n`;
  expect(through(`${token}${event}${done}`, true).text).toBe(token + done);
});

test.each(['reasoning', 'reasoning_content', 'content', 'refusal'])('a delta of %s is content', (field) => {
  const delta = `data: {"choices":[{"index":0,"delta":{"role":"assistant","${field}":"a"}}]}\n\n`;
  expect(through(delta + delta + done, true).content).toBe(2);
});

/** As vLLM writes Anthropic's messages. */
const message = (type: string, fields: string) => `event: ${type}\ndata: {"type":"${type}"${fields}}\n\n`;
const began = message('message_start', ',"message":{"usage":{"input_tokens":20,"cache_read_input_tokens":80,"output_tokens":1}}');
const said = message('content_block_delta', ',"delta":{"type":"text_delta","text":"a"}');
const counted = message('message_delta', ',"delta":{},"usage":{"output_tokens":7}');
const stopped = message('message_stop', '');

test('a message counts what a cache held, and is over with its own last event', () => {
  const all = began + said + said + counted;
  expect(through(all + stopped, false)).toEqual({
    text: all + stopped,
    usage: { inputTokens: 100, outputTokens: 7 },
    content: 2,
    done: true,
    failed: false,
  });
  expect(through(all, false).done).toBe(false);
  expect(through(began + message('error', ',"error":{"type":"overloaded_error"}'), false).failed).toBe(true);
});

test('a response tells its id at once, and its counts at its end', () => {
  const ids: string[] = [];
  const filter = usageFilter(false, (id) => ids.push(id));
  filter.take(Buffer.from('data: {"type":"response.created","response":{"id":"resp_1","usage":null}}\n\n'));
  expect([ids, filter.done()]).toEqual([['resp_1'], false]);
  filter.take(Buffer.from('data: {"type":"response.output_text.delta","delta":"a"}\n\n'));
  const last = '{"id":"resp_1","status":"completed","usage":{"input_tokens":9,"output_tokens":2}}';
  filter.take(Buffer.from(`data: {"type":"response.completed","response":${last}}\n\n`));
  expect([ids, filter.done(), filter.failed(), filter.usage(), filter.contentEvents()]).toEqual([
    ['resp_1'],
    true,
    false,
    { inputTokens: 9, outputTokens: 2 },
    1,
  ]);
  filter.take(Buffer.from('data: {"type":"response.failed","response":{"id":"resp_1"}}\n\n'));
  expect(filter.failed()).toBe(true);
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
