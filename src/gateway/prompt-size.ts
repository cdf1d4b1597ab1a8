import { isObject } from '../formats/json.ts';
import type { ApiCall } from './api-calls.ts';

/** What a prompt may hold beside text; `other` is a video or a file. */
export const mediaKinds = ['image', 'audio', 'other'] as const;
export type MediaKind = (typeof mediaKinds)[number];

/** What there is of a prompt before it is tokens. */
export interface PromptSize {
  /** Characters of its text. */
  readonly characters: number;
  /** Tokens, where it is given as tokens. */
  readonly tokens: number;
  /** Images, sounds and others. */
  readonly parts: Readonly<Record<MediaKind, number>>;
}

export const noPrompt: PromptSize = { characters: 0, tokens: 0, parts: { image: 0, audio: 0, other: 0 } };

/** The fields of a body that hold a prompt. */
const promptFields: Readonly<Record<ApiCall, readonly string[]>> = {
  completions: ['prompt'],
  chat: ['messages'],
  embeddings: ['input', 'messages'],
  responses: ['instructions', 'input'],
  messages: ['system', 'messages'],
  rerank: [],
  score: [],
  transcription: [],
  speech: [],
  tokenize: [],
};

export const promptSize = (call: ApiCall, body: Readonly<Record<string, unknown>>): PromptSize => {
  if (call === 'rerank') return pairsSize([body['query']], body['documents']);
  if (call === 'score') return pairsSize(body['text_1'] ?? body['queries'], body['text_2'] ?? body['documents']);
  const counted = emptySize();
  for (const field of promptFields[call]) count(body[field], counted);
  const { tools } = body;
  if (call !== 'completions' && Array.isArray(tools)) counted.characters += JSON.stringify(tools).length;
  return counted;
};

interface Counted {
  characters: number;
  tokens: number;
  readonly parts: Record<MediaKind, number>;
}
const emptySize = (): Counted => ({ characters: 0, tokens: 0, parts: { image: 0, audio: 0, other: 0 } });

/** Each document is read together with its question: one question with all of them, or each with its own. */
const pairsSize = (questions: unknown, documents: unknown): PromptSize => {
  const [question, document] = [emptySize(), emptySize()];
  count(questions, question);
  count(documents, document);
  const documentsCount = Array.isArray(documents) ? documents.length : 1;
  const questionsCount = Array.isArray(questions) ? questions.length : 1;
  const times = questionsCount === 1 ? documentsCount : 1;
  return { ...document, characters: document.characters + times * question.characters };
};

/** Texts are characters, bare numbers tokens; of a message its content counts, of a part of it the text, or that it is there. */
const count = (value: unknown, counted: Counted): void => {
  if (typeof value === 'string') counted.characters += value.length;
  else if (typeof value === 'number') counted.tokens += 1;
  else if (Array.isArray(value)) for (const item of value) count(item, counted);
  else if (isObject(value)) {
    const { content, text, type } = value;
    const inside = content ?? text;
    if (inside !== undefined && inside !== null) count(inside, counted);
    else if (typeof type === 'string' && isOfText(type)) counted.characters += JSON.stringify(value).length;
    else if (typeof type === 'string') counted.parts[kindOf(type)] += 1;
  }
};

/** What a model has said or called before, and what a tool gave back: `tool_use`, `function_call_output`, `reasoning` ... */
const isOfText = (type: string): boolean => /tool|function|reasoning|thinking|reference/.test(type);

/** `image_url`, `input_audio`, `video_url` ... */
const kindOf = (type: string): MediaKind => (type.includes('image') ? 'image' : type.includes('audio') ? 'audio' : 'other');
