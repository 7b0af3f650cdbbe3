/** docs/reference/twilio-unknowns.md, from the unknowns and the switches. */
import { quirkDefinitions } from '../../src/simulator/quirks.ts';
import { type SwitchName, valuesOf } from './switch-values.ts';
import { areas, type Unknown } from './unknowns.ts';

const head = `# What Twilio leaves open

Twilio's documentation of the organization API does not say everything, and its pages and its OpenAPI description disagree in
places. Here are the questions that matter to a directory sync, and what tdsync does, whichever the answer is. None of it
has to be configured, but for the generation of paths (\`twilio.endpoints.generation\`).

Each behaviour is a switch of the [simulator](../how-to/rehearse-with-the-simulator.md), where you can try it:
\`curl -X POST -d '{"deleteStatus": 202}' http://127.0.0.1:8580/_simulator/quirks\`. The first value is what Twilio documents,
or what its neighbours suggest. In the tests people come, change, go and come back, and everything goes wrong once, in
both generations of paths: under each value alone, under every pair of values, and with nothing as documented.
After each step a second run has nothing to do. Where that cannot be, nobody is harmed: no second welcome mail, no role
twice, nobody changed who is not managed.

This page is made from the switches and tested against them.
`;

export function renderUnknowns(): string {
  let number = 0;
  const sections = areas.map(({ title, unknowns }) => {
    const items = unknowns.map((each) => item(++number, each));
    return `## ${title}\n\n${items.join('\n')}`;
  });
  return `${head}\n${sections.join('\n')}`;
}

function item(number: number, { question, switches, also, answer }: Unknown): string {
  const rows = switches.map((name) => `| \`${name}\` | ${valuesText(name)} | ${cell(quirkDefinitions[name].about)} |`);
  const table = rows.length === 0 ? '' : `\n| switch | values | what it decides |\n|---|---|---|\n${rows.join('\n')}\n`;
  const more = also === undefined ? '' : `\n${rows.length === 0 ? 'Played by' : 'Also played by'} ${also}.\n`;
  return `### ${number}. ${question}\n\n${answer}\n${table}${more}`;
}

function valuesText(name: SwitchName): string {
  return valuesOf(name)
    .map((value) => `\`${cell(typeof value === 'string' ? value : JSON.stringify(value))}\``)
    .join(', ');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
