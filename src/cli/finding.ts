/** What one check has shown; `unknown`: it could not be made; `note`: it works, and its user should know how. */
export interface Finding {
  readonly verdict: 'ok' | 'wrong' | 'unknown' | 'note';
  readonly text: string;
}

export const ok = (text: string): Finding => ({ verdict: 'ok', text });
export const wrong = (text: string): Finding => ({ verdict: 'wrong', text });
export const unknown = (text: string): Finding => ({ verdict: 'unknown', text });
export const note = (text: string): Finding => ({ verdict: 'note', text });
