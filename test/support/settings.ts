/** Settings of a directory server, changed while it runs and put back afterwards. */
import { Attribute, Change, Client } from 'ldapts';

export interface Settings extends AsyncDisposable {
  /** Sets an attribute to these values, the ones it had for `undone`. Resolves with what puts it back. */
  set(dn: string, attribute: string, values: readonly string[], options?: SetOptions): Promise<() => Promise<void>>;
  /** Puts these values before the ones that are there. Resolves with what puts it back. */
  prepend(dn: string, attribute: string, ...values: readonly string[]): Promise<() => Promise<void>>;
}

export interface SetOptions {
  /** What it is put back to, where that is not what it was. */
  readonly undone?: readonly string[];
}

export async function administerSettings(url: string, dn: string, password: string): Promise<Settings> {
  const client = new Client({ url });
  await client.bind(dn, password);

  async function valuesOf(entry: string, attribute: string): Promise<readonly string[]> {
    const { searchEntries } = await client.search(entry, { scope: 'base', attributes: [attribute] });
    const value = searchEntries[0]?.[attribute] ?? [];
    return [value].flat().map(String);
  }
  const replace = (entry: string, type: string, values: readonly string[]) =>
    client.modify(
      entry,
      new Change({ operation: 'replace', modification: new Attribute({ type, values: [...values] }) }),
    );

  const settings: Settings = {
    async set(entry, attribute, values, { undone } = {}) {
      const before = undone ?? (await valuesOf(entry, attribute));
      await replace(entry, attribute, values);
      return () => replace(entry, attribute, before);
    },
    async prepend(entry, attribute, ...values) {
      // OpenLDAP numbers values in order, and takes them in the order of their numbers.
      const unnumbered = (await valuesOf(entry, attribute)).map((value) => value.replace(/^\{\d+\}/, ''));
      return settings.set(entry, attribute, numbered([...values, ...unnumbered], attribute), {
        undone: numbered(unnumbered, attribute),
      });
    },
    [Symbol.asyncDispose]: () => client.unbind(),
  };
  return settings;
}

function numbered(values: readonly string[], attribute: string): readonly string[] {
  return attribute.startsWith('olc') ? values.map((value, index) => `{${index}}${value}`) : values;
}
