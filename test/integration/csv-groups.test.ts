import { describe, expect, it } from 'vitest';
import { createCsvFolder, readCsv, refusalOf } from '../support/csv-files.ts';

const column = { column: 'groups', separator: ',' };

describe('groups in a column', () => {
  it('are split, trimmed, and freed of empty names and repetitions', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,groups\n1,"a, b"\n2," b ,,a,b, "\n3,\n');

    const { entries } = await readCsv({ users, id: 'id', groups: column }, { groups: ['a', 'b'] });

    expect(entries.map((entry) => entry.groups)).toEqual([['a', 'b'], ['b', 'a'], []]);
  });

  it('are left out where no rule names them', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,groups\n1,"a,other"\n');

    const { entries } = await readCsv({ users, id: 'id', groups: column }, { groups: ['a'] });

    expect(entries.map((entry) => entry.groups)).toEqual([['a']]);
  });

  it('are all there when a rule looks at group names in another way', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,groups\n1,"a,other"\n');

    const { entries } = await readCsv({ users, id: 'id', groups: column }, { groups: ['a'], allGroups: true });

    expect(entries.map((entry) => entry.groups)).toEqual([['a', 'other']]);
  });

  it('must include every group that a rule names, so that a renamed one strips nobody', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,groups\n1,"Twilio Users,b"\n');

    const refusal = await refusalOf({ users, id: 'id', groups: column }, { groups: ['admins', 'b', 'twilio-users'] });

    expect(refusal).toMatchObject({
      code: 'source-incomplete',
      message: `${users} (column "groups"): no row names the groups "admins", "twilio-users"`,
      hint: '"twilio-users" is spelled "Twilio Users" in the file',
    });
  });

  it('can be as many combinations as there are people', async () => {
    await using folder = await createCsvFolder();
    const rows = Array.from({ length: 25_000 }, (_, index) => `${index},"g,g${index}"\n`);
    const users = await folder.write('people.csv', `id,groups\n${rows.join('')}`);

    const { entries } = await readCsv({ users, id: 'id', groups: column }, { groups: ['g'], allGroups: true });

    expect(entries.at(-1)?.groups).toEqual(['g', 'g24999']);
  });
});

describe('groups in a memberships file', () => {
  it('reach the person whose id they name, whatever the order and the header', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id,mail\n007,a\n7,b\n8,c\n');
    const memberships = await folder.write('memberships.csv', 'who;what\n7; y\n 007 ;x\n007;y\n7;x\n007;x\n');

    const { entries, complete } = await readCsv({ users, memberships, id: 'id' }, { groups: ['x', 'y'] });

    expect(entries.map((entry) => entry.groups)).toEqual([['x', 'y'], ['y', 'x'], []]);
    expect(complete.description).toBe(`${users} with memberships ${memberships}`);
  });

  it('are ignored for ids that no person has', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const memberships = await folder.write('memberships.csv', 'id,group\n1,g\n99,g\n');

    const { entries } = await readCsv({ users, memberships, id: 'id' }, { groups: ['g'] });

    expect(entries.map(({ id, groups }) => ({ id, groups }))).toEqual([{ id: '1', groups: ['g'] }]);
  });

  it('are joined with those of the column', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id;groups\n1;a,b\n2;\n3;a\n');
    const memberships = await folder.write('memberships.csv', 'id,group\n1,b\n1,c\n2,c\n');

    const { entries } = await readCsv({ users, memberships, id: 'id', groups: column }, { groups: ['a', 'b', 'c'] });

    expect(entries.map((entry) => entry.groups)).toEqual([['b', 'c', 'a'], ['c'], ['a']]);
  });

  it('are not read when no rule looks at groups', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');

    const { complete } = await readCsv({ users, memberships: folder.path('missing.csv'), id: 'id' });

    expect(complete).toEqual({ entries: 1, description: users });
  });

  it('must include every group that a rule names', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const memberships = await folder.write('memberships.csv', 'id,group\n1,other\n');

    const refusal = await refusalOf({ users, memberships, id: 'id' }, { groups: ['g'] });

    expect(refusal).toMatchObject({
      code: 'source-incomplete',
      message: `${memberships}: no row names the group "g"`,
      hint: expect.stringContaining('renamed'),
    });
  });

  it.each([
    ['a third column', 'id,group,since\n1,g,2020\n', ':1: 3 columns, where two are expected'],
    ['one column', 'id\n1\n', ':1: 1 columns, where two are expected'],
    ['no rows', 'id,group\n', ': 0 rows, at least 1 expected'],
    ['a row without id', 'id,group\n1,g\n,g\n', ':3: the person id is empty'],
    ['a row without group', 'id,group\n1,\n', ':2: the group is empty'],
    ['a row with too many fields', 'id,group\n1,g\n1,g,h\n', ':3: 3 fields, where the header has 2'],
    [
      'a quote that is not closed',
      'id,group\n1,"g\n',
      ':2: column "group": the quote that opens the field is not closed',
    ],
    [
      'bytes of another encoding',
      Buffer.from('id,group\n1,\xfc\n', 'latin1'),
      ':2: byte 0xFC does not fit UTF-8 (byte 11 of the file)',
    ],
  ])('are held to the same rules as people (%s)', async (_, content, problem) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');
    const memberships = await folder.write('memberships.csv', content);

    const refusal = await refusalOf({ users, memberships, id: 'id' }, { groups: ['g'] });

    expect(refusal).toMatchObject({
      code: 'source-incomplete',
      message: memberships + problem,
      hint: expect.any(String),
    });
  });

  it('are refused when the file is missing', async () => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');

    const refusal = await refusalOf({ users, memberships: folder.path('missing.csv'), id: 'id' }, { groups: ['g'] });

    expect(refusal).toMatchObject({ code: 'source-unavailable' });
  });
});

describe('groups that nothing holds', () => {
  it.each([
    [{ groups: ['g'] }, 'the group "g"'],
    [{ allGroups: true }, 'groups'],
  ])('are refused when rules look at them', async (demand, which) => {
    await using folder = await createCsvFolder();
    const users = await folder.write('people.csv', 'id\n1\n');

    const refusal = await refusalOf({ users, id: 'id' }, demand);

    expect(refusal).toMatchObject({
      code: 'source-incomplete',
      message: `${users}: rules look at ${which}, but nothing says where groups stand`,
      hint: expect.stringContaining('source.memberships'),
    });
  });
});
