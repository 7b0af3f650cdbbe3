import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import { plural } from '../report/plan-text.ts';
import type { Verification } from '../store/audit/verify.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface VerifyOptions extends GlobalOptions {
  readonly head?: string;
}

/** Of the snapshot, or of a file that `runs --export jsonl` wrote; a file needs no configuration. */
export async function runsVerify(file: string | undefined, options: VerifyOptions): Promise<ExitCode> {
  const { head } = options;
  if (head !== undefined && !/^[0-9a-f]{64}$/.test(head)) {
    throw new UsageError('--head: 64 hexadecimal digits are needed, as `tdsync status` shows them');
  }
  const verification = file === undefined ? verifySnapshot(options) : await verifyFile(file, head);
  print(options.json ? documentJson(verification) : verificationText(verification));
  return verification.verified ? exitCodes.ok : exitCodes.unexpected;
}

function verifySnapshot(options: VerifyOptions): Verification {
  const { snapshot } = openForLooking(options);
  using _snapshot = snapshot;
  return snapshot.audit.verify(options.head);
}

async function verifyFile(file: string, head: string | undefined): Promise<Verification> {
  const { verifyExport } = await import('../store/audit/verify-export.ts');
  const verifier = verifyExport(head);
  const input = createReadStream(file);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      if (!verifier.line(line)) break;
    }
  } catch (error) {
    throw new UsageError(`runs verify: cannot read ${file}: ${(error as Error).message}`, {
      hint: 'name a file that `tdsync runs --export jsonl` wrote',
      cause: error,
    });
  } finally {
    input.destroy();
  }
  return verifier.finish();
}

function verificationText({ records, runs, inherited, from, head, problem }: Verification): string {
  if (problem !== undefined) {
    const { seq, run, message } = problem;
    const place = [seq === undefined ? '' : `record ${seq}`, run === undefined ? '' : `run ${run}`].filter(Boolean);
    return `BROKEN${place.length === 0 ? '' : ` at ${place.join(', ')}`}: ${printable(message)}\n${records === 0 ? 'No record' : plural(records, 'record')} before it, up to ${head?.seq ?? 'none'}, fit.\n`;
  }
  if (from === undefined || head === undefined) return 'No record yet.\n';
  const lines = [`Verified: ${plural(records, 'record')} of ${plural(runs, 'run')}, ${from.seq} to ${head.seq}`];
  lines.push(`Since:    ${new Date(from.at).toISOString()}${from.seq > 1 ? '; what was before is not here' : ''}`);
  if (inherited > 0) lines.push(`          ${plural(inherited, 'run')} from before the records began, as found then`);
  return `${lines.join('\n')}\nHead:     ${head.hash}\n`;
}
