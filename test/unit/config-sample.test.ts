import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { normalizeEmail } from '../../src/domain/identity.ts';
import { buildState } from '../../src/simulator/build-state.ts';
import { loadSeedFile } from '../../src/simulator/seed.ts';

const configFolder = join(import.meta.dirname, '..', '..', 'config');

describe("the sample's Twilio organization", () => {
  it('is one that the simulator accepts, with an owner', () => {
    const seed = loadSeedFile(join(configFolder, 'simulator-seed.json'));

    const state = buildState(seed, () => 0);

    expect(state.users.byUserName('owner@corp.example')?.sid).toBe(state.ownerSid);
  });

  it('holds one person of the sample, to be adopted, and two whom the sample does not know', () => {
    const { users = [] } = loadSeedFile(join(configFolder, 'simulator-seed.json'));
    const people = readFileSync(join(configFolder, 'people.csv'), 'utf8').trim().split('\n').slice(1);
    const addresses = new Set(people.map((row) => normalizeEmail(row.split(',')[3] ?? '')));

    const others = users.filter(({ userName }) => userName !== 'owner@corp.example');

    expect(people).toHaveLength(12);
    expect(others.filter(({ userName }) => addresses.has(normalizeEmail(userName)))).toHaveLength(1);
    expect(others).toHaveLength(3);
  });
});
