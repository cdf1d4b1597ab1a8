export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
}

/** A failure that the caller is told of as a Status, in his representation. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: number;
  readonly reason: string;
  readonly details: StatusDetails | undefined;

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  /** The `v1` Status object, in the order of keys that Go writes. */
  body(): object {
    const { message, reason, details, code } = this;
    const start = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason };
    return details === undefined ? { ...start, code } : { ...start, details, code };
  }
}

/** A failure that Kubernetes' own servers answer in plain text. */
export class PlainError extends Error {
  override readonly name = 'PlainError';
  readonly code: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.headers = headers;
  }
}

export const badRequest = (message: string): StatusError => new StatusError(400, 'BadRequest', message);
export const unauthorized = (): StatusError => new StatusError(401, 'Unauthorized', 'Unauthorized');
export const noSuchResource = (): StatusError =>
  new StatusError(404, 'NotFound', 'the server could not find the requested resource', {});
export const methodNotAllowed = (): StatusError =>
  new StatusError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});
export const timedOut = (): StatusError =>
  new StatusError(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', {});
/** The HPA quotes the message in its condition, and keeps the replicas that it has. */
export const unavailable = (message: string): StatusError => new StatusError(503, 'ServiceUnavailable', message);
export const tooManyRequests = (): PlainError =>
  new PlainError(429, 'Too many requests, please try again later.', { 'retry-after': '1' });

/** `for deployments.apps`, `for deployments.apps NAME`, or that with the selector that the metric does not match. */
export const metricNotFound = (metric: string, resource: string, name = '', selector = ''): StatusError => {
  const object = name === '' ? '' : ` ${name}`;
  const labels = selector === '' ? '' : ` with selector ${selector}`;
  const message = `the server could not find the metric ${metric} for ${resource}${object}${labels}`;
  return new StatusError(404, 'NotFound', message);
};
