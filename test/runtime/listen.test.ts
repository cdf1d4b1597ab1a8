import { expect, test } from 'vitest';
import { listening } from '../../src/runtime/listen.ts';
import { startPlainHttp } from '../../src/runtime/plain-http.ts';

const answer = async () => ({ code: 200, type: 'text/plain', text: '' });

test('a port that another process has, and an address that is not ours, are named', async () => {
  const first = await startPlainHttp(answer, '127.0.0.1', 0);
  const port = Number(new URL(first.url).port);
  await expect(startPlainHttp(answer, '127.0.0.1', port)).rejects.toMatchObject({
    code: 'BAD_SETTING',
    message: `port ${port} of 127.0.0.1 cannot be listened on: another process has it`,
  });
  await first.close();
  await expect(startPlainHttp(answer, '192.0.2.1', 0)).rejects.toThrow(/^port 0 of 192\.0\.2\.1 cannot be listened on: /);
});

test('what is not the fault of the address stays what it is', async () => {
  const bug = new TypeError('x is undefined');
  await expect(listening('h', 1, () => Promise.reject(bug))).rejects.toBe(bug);
});
