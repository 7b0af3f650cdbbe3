/** csv-parse alone, streaming the file named by the first argument. */
import { createReadStream } from 'node:fs';
import { parse } from 'csv-parse';

let rows = 0;
const parser = createReadStream(process.argv[2] ?? '').pipe(parse());
parser.on('data', () => rows++);
parser.on('end', () => process.stdout.write(`${rows}\n`));
