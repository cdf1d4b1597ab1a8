/**
 * Every failure that gpumix expects, by its stable code. The table of errors in docs/reference.md is generated from this list.
 */
export const errorCodes = {
  BAD_USAGE: 'the arguments of a command are wrong',
  BAD_SETTING: 'a setting (flag or environment variable) has an invalid value',
  BAD_SNAPSHOT: 'a snapshot breaks its format; the message names the field',
  BAD_PROFILE: 'a profile breaks its format; only its Deployment is affected',
  BAD_RECORD: 'a request record of the gateway cannot be read; only its interval is affected',
  BAD_TRACE: 'a trace file breaks its format; the message names the line',
  BAD_BENCHMARK: 'benchmark results break their format or are incomplete; the message names the line',
  ENDPOINT_UNUSABLE: 'the endpoint to benchmark does not serve the model as an OpenAI server would; results so far are kept',
  REDIS_UNAVAILABLE: 'Redis cannot be read or written; the last good plan stays valid',
  KUBERNETES_UNAVAILABLE: 'the Kubernetes API server cannot be read; the last known objects stay valid',
  FORBIDDEN: 'the Kubernetes API server denies a permission that gpumix needs; the message names it',
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** A failure that we expect. `code` is stable and documented; the message is for people and says where and what. */
export class GpumixError extends Error {
  override readonly name = 'GpumixError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * kube-apiserver's 403.
 * @param givenIn what in our manifests gives the right, and in which folder
 */
export const forbidden = (verb: string, object: string, givenIn: string, cause?: unknown): GpumixError =>
  new GpumixError('FORBIDDEN', `may not ${verb} ${object}: see the ${givenIn}`, cause === undefined ? {} : { cause });

/** Puts the name of a document before what is wrong in it; bad usage is not the document's fault. */
export const located = <T>(where: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof GpumixError) || error.code === 'BAD_USAGE') throw error;
    throw new GpumixError(error.code, `${where}: ${messageOf(error)}`);
  }
};

/** The message of anything that was thrown, with those of its causes, each on the same line. */
export const messageOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  const own = error.message || error.name;
  if (error.cause === undefined) return own;
  const cause = messageOf(error.cause).replaceAll('\n', ' ');
  return own.includes(cause) ? own : `${own}: ${cause}`;
};
