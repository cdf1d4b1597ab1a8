/** What one vendor asked for one GPU, on demand. */
export interface ListPrice {
  /** $ per GPU and hour. */
  readonly price: number;
  /** Vendor and product. */
  readonly source: string;
}

/** When these prices were looked up. */
export const listPricesDate = '2026-09 to 2026-11';

/**
 * On-demand prices where the user gives none. They differ by up to 4.6x between vendors, so set your own with the annotation
 * `gpumix.io/price` or `--prices`. There is no western list price of an L20, and none is known here of an A40.
 */
export const priceList: Readonly<Record<string, ListPrice>> = {
  L4: { price: 0.805, source: 'AWS g6.xlarge' },
  A10G: { price: 1.006, source: 'AWS g5.xlarge' },
  L40S: { price: 1.861, source: 'AWS g6e.xlarge' },
  V100: { price: 0.79, source: 'Lambda' },
  'A100-40': { price: 1.99, source: 'Lambda' },
  'A100-80': { price: 3.431, source: 'AWS p4de' },
  H100: { price: 6.88, source: 'AWS p5' },
  H200: { price: 4.59, source: 'RunPod secure' },
  B200: { price: 6.79, source: 'RunPod' },
};

/** $ per GPU and hour by type. */
export const listPrices: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(priceList).map(([gpu, { price }]) => [gpu, price]),
);
