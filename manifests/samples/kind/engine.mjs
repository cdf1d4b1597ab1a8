// A stand-in for an inference engine: answers completions token by token at a fixed speed, and says how busy it is.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const tokensPerSecond = Number(process.env.TOKENS_PER_SECOND ?? 20);
let running = 0;
let served = 0;

const complete = async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const asked = JSON.parse(Buffer.concat(chunks).toString());
  const { model = 'simulated', prompt = '', max_tokens = 16, stream = false, stream_options = {} } = asked;
  const answer = (text, finish_reason, more) =>
    JSON.stringify({ object: 'text_completion', model, choices: [{ index: 0, text, finish_reason }], ...more });
  const usage = { prompt_tokens: Math.ceil(String(prompt).length / 4), completion_tokens: max_tokens };
  response.setHeader('content-type', stream ? 'text/event-stream' : 'application/json');
  running += 1;
  try {
    for (let token = 0; token < max_tokens; token += 1) {
      await sleep(1000 / tokensPerSecond);
      if (stream) response.write(`data: ${answer(' word', null)}\n\n`);
    }
  } finally {
    running -= 1;
  }
  served += 1;
  if (!stream) return response.end(answer(' word'.repeat(max_tokens), 'length', { usage }));
  const last = answer('', 'length', stream_options.include_usage ? { usage } : {});
  response.end(`data: ${last}\n\ndata: [DONE]\n\n`);
};

const server = createServer((request, response) => {
  if (request.url === '/health') return response.end('ok\n');
  if (request.url === '/metrics')
    return response.end(`vllm:num_requests_running ${running}\nvllm:request_success_total ${served}\n`);
  if (request.method !== 'POST' || request.url !== '/v1/completions') return response.writeHead(404).end();
  complete(request, response).catch((error) => response.writeHead(400).end(`${error.message}\n`));
});
server.listen(8000);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
