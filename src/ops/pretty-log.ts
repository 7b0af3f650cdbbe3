import type { DestinationStream } from 'pino';

const levels: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info ', 40: 'warn ', 50: 'error' };

/** Turns pino's JSON lines into `time level message key=value …`, with control characters made harmless. */
export function prettyStream(destination: DestinationStream): DestinationStream {
  return {
    write(text) {
      const { level, time, msg, ...fields } = JSON.parse(text) as { level: number; time: number; msg?: string };
      const rest = Object.entries(fields).map(
        ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
      );
      const line = [new Date(time).toISOString(), levels[level] ?? level, msg ?? '', ...rest].join(' ');
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
      destination.write(`${line.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')}\n`);
    },
  };
}
