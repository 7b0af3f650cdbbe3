import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');

/** The code that a page of the documentation shows in one language, in order. */
export function codeBlocks(page: string, language: string): readonly string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^ *\`\`\`${language}\n([\\s\\S]*?)^ *\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}

/** What a page shows is for a directory, an account and a server of its reader's; here it becomes the test's. */
export interface Adaption {
  readonly suffix: string;
  readonly password: string;
  readonly url: string;
  readonly caFile: string;
}

export function ldifBlocks(page: string, { suffix, password }: Adaption): readonly string[] {
  return codeBlocks(page, 'ldif').map((block) =>
    block.replaceAll('dc=corp,dc=example', suffix).replace(/^userPassword: .*$/m, `userPassword: ${password}`),
  );
}

/** The sections `source` that a page shows, in order. The password is in the file `ldap-password` beside the configuration. */
export function sourceSections(page: string, { suffix, url, caFile }: Adaption): readonly object[] {
  return codeBlocks(page, 'yaml')
    .map((block) => parse(block.replaceAll('dc=corp,dc=example', suffix)) as { source?: object })
    .flatMap(({ source }) =>
      source === undefined ? [] : [{ ...source, url, bindPassword: `\${file:ldap-password}`, tls: { caFile } }],
    );
}
