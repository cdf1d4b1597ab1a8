import type { Hold, Shortage } from '../../vocabulary/planning-documents.ts';

const holds: Readonly<Record<Hold, string>> = {
  paused: 'is paused by gpumix.io/paused',
  pinned: 'is pinned by gpumix.io/pin',
  notFollowed: 'is not followed',
  outOfStock: 'is out of stock',
  newProfile: 'has a new profile that lowers nothing yet',
};

/** What holds a Deployment, after its name. @example holdText('pinned') // => 'is pinned by gpumix.io/pin' */
export const holdText = (hold: Hold): string => holds[hold];

/** Why demand is not served, in words where the code alone says too little. @example shortageText('stock') // => 'stock' */
export const shortageText = (shortage: Shortage): string =>
  shortage in holds ? `what could serve it ${holds[shortage as Hold]}` : shortage;
