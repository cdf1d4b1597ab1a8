import { expect, test } from 'vitest';
import { eventReader } from '../../src/formats/sse.ts';

test('events are whole however the stream is cut', () => {
  const stream = ': comment\r\ndata: {"a":1}\r\n\r\nevent: x\ndata:twö\ndata: lines\n\ndata: [DONE]\n\ndata: cut';
  const bytes = Buffer.from(stream);
  for (let size = 1; size < bytes.length; size += 1) {
    const seen: string[] = [];
    const read = eventReader((data) => seen.push(data));
    for (let at = 0; at < bytes.length; at += size) read(bytes.subarray(at, at + size));
    expect(seen).toEqual(['{"a":1}', 'twö\nlines', '[DONE]']);
  }
});
