import pc from 'picocolors';
import { escapedText } from '../domain/visible-text.ts';

type Colours = ReturnType<typeof pc.createColors>;

/** What a log is written to; `process.stderr` is one. */
export interface LogDestination {
  write(line: string): unknown;
}

/** Turns the log's JSON lines into lines for people: time, level, message, then the rest as `key=value`. */
export function prettyStream(destination: LogDestination, colour: boolean): LogDestination {
  const colours = pc.createColors(colour);
  return {
    write(line) {
      const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
      const rest = Object.entries(fields).map(([key, value]) => `${colours.dim(`${key}=`)}${show(value)}`);
      const parts = [
        colours.dim(String(time)),
        levelText(String(level), colours),
        escapedText(String(msg ?? '')),
        ...rest,
      ];
      destination.write(`${parts.join(' ')}\n`);
    },
  };
}

function levelText(level: string, colours: Colours): string {
  const text = level.padEnd(5);
  if (level === 'error') return colours.red(text);
  if (level === 'warn') return colours.yellow(text);
  return level === 'debug' ? colours.dim(text) : colours.green(text);
}

/** Bare where that is unambiguous. Of an error only what it says: the stack is in the JSON form. */
function show(value: unknown): string {
  if (isError(value)) {
    return show(value.code === undefined ? `${value.type}: ${value.message}` : `${value.code}: ${value.message}`);
  }
  if (typeof value !== 'string') return escapedText(JSON.stringify(value));
  return escapedText(/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
}

interface LoggedError {
  readonly type: string;
  readonly message: string;
  readonly code?: unknown;
}

function isError(value: unknown): value is LoggedError {
  return typeof value === 'object' && value !== null && 'type' in value && 'message' in value && 'stack' in value;
}
