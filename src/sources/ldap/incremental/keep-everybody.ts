import type { CacheRefill } from '../../../domain/source-cache.ts';
import { canonicalId } from '../values.ts';
import type { Witness } from '../whole-read.ts';
import { createGroupMemory } from './group-memory.ts';

/** Takes down a full read while it goes on. */
export function keepEverybody(
  uuidAttribute: string,
  refill: CacheRefill,
): { readonly witness: Witness; unnamed(): number } {
  let unnamed = 0;
  return {
    unnamed: () => unnamed,
    witness(membership) {
      const memory = createGroupMemory(membership);
      if (membership !== undefined) memory.use(membership);
      return {
        membership: memory.membership,
        supply: {
          attributes: [uuidAttribute],
          learnt: () => true,
          run: ({ decoder, search }, onUser) =>
            search((dn) => {
              memory.recall([]);
              onUser(dn);
              const uuid = decoder.values[decoder.field(uuidAttribute)?.index ?? -1];
              if (typeof uuid !== 'string') unnamed += 1;
              else {
                const key = canonicalId(uuidAttribute, uuid);
                refill.add({ uuid: key, dn, ...decoder.save(), groups: memory.last(), missing: 0 });
              }
            }),
        },
      };
    },
  };
}
