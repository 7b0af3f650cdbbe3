import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatPath, splitPath } from '../../src/config/paths.ts';
import { suggest } from '../../src/config/suggest.ts';

describe('suggest', () => {
  it.each([
    ['organisationSid', ['organizationSid', 'oauth'], 'organizationSid'],
    ['client_id', ['clientId', 'clientSecret'], 'clientId'],
    ['levle', ['format', 'level'], 'level'],
    ['familyname', ['name.givenName', 'name.familyName'], 'name.familyName'],
    ['colum', ['column', 'separator'], 'column'],
    ['server', ['filter', 'source', 'log'], undefined],
    ['x', ['id'], undefined],
  ])('for %s of %j is %s', (typed, candidates, meant) => {
    expect(suggest(typed, candidates)).toBe(meant);
  });

  it('finds every word after one slip', () => {
    const words = ['organizationSid', 'requestsPerSecond', 'confirmAbsence', 'refreshAssignments'];
    fc.assert(
      fc.property(fc.constantFrom(...words), fc.nat(), fc.constantFrom('drop', 'double', 'swap'), (word, at, slip) => {
        const i = at % (word.length - 1);
        const [a = '', b = ''] = [word[i], word[i + 1]];
        const slipped = { drop: b, double: a + a + b, swap: b + a }[slip as 'drop' | 'double' | 'swap'];

        expect(suggest(word.slice(0, i) + slipped + word.slice(i + 2), words)).toBe(word);
      }),
      { numRuns: 200, seed: 20260601 },
    );
  });
});

describe('paths', () => {
  it('come back from their text', () => {
    const part = fc.oneof(fc.stringMatching(/^[A-Za-z]{1,6}$/), fc.nat({ max: 30 }));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (path) => {
        expect(splitPath(formatPath(path))).toEqual(path);
      }),
      { numRuns: 200, seed: 20260601 },
    );
  });
});
