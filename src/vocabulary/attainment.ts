/** What may be asked for: a share of requests within the SLO. All of them nobody can promise. */
export const isAttainment = (share: number): boolean => share >= 0.5 && share <= 0.9999;
export const attainmentExpected = 'a share from 0.5 to 0.9999';
