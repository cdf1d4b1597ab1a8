import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An engine without work: a stream of tokens at a fixed pace, and usage counts of as many as were asked for.
 *   node hack/gateway/instant-engine.ts TOKENS MILLISECONDS      prints its origin
 */
const [tokens = 8, milliseconds = 5] = process.argv.slice(2).map(Number);
const token =
  'data: {"id":"c","object":"text_completion","model":"m","choices":[{"index":0,"text":" word","finish_reason":null}]}\n\n';

const server = createServer((request, response) => {
  if (request.method !== 'POST') return void response.end('ok\n');
  let body = '';
  request.on('data', (piece) => {
    body += String(piece);
  });
  request.on('end', () => {
    const asked = JSON.parse(body) as {
      prompt?: string;
      max_tokens?: number;
      stream?: boolean;
      stream_options?: { include_usage?: boolean };
    };
    const usage = {
      prompt_tokens: Math.ceil((asked.prompt ?? '').length / 4),
      completion_tokens: asked.max_tokens ?? tokens,
    };
    if (asked.stream !== true) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(JSON.stringify({ choices: [{ text: ' word' }], usage }));
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    const next = (): void => {
      if (response.destroyed) return;
      if (sent < tokens) {
        sent += 1;
        response.write(token);
        if (milliseconds > 0) setTimeout(next, milliseconds);
        else setImmediate(next);
        return;
      }
      if (asked.stream_options?.include_usage === true) response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
      response.end('data: [DONE]\n\n');
    };
    next();
  });
});
server.keepAliveTimeout = 120_000;
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
