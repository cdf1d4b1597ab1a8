export const aibrix = async (_say: (t: string) => void) => ({ text: 'not run' });
