/** Which of an attribute's values came, counted from 0, as the server says in `member;range=0-1499`. */
export interface RangeOption {
  /** The name without the range, in the server's spelling. */
  readonly attribute: string;
  /** The server's words, for messages. */
  readonly sent: string;
  /** -1 when the range makes no sense. */
  readonly first: number;
  /** Undefined: up to the very last (`*`). */
  readonly last: number | undefined;
}

/** Takes an attribute description apart (MS-ADTS section 3.1.1.3.1.3.3), other options staying with the name. Undefined without a range. */
export function parseRange(sent: string): RangeOption | undefined {
  const option = /;range=[^;]*/i.exec(sent)?.[0];
  if (option === undefined) return undefined;
  const attribute = sent.replace(option, '');
  const bounds = /=(\d{1,9})-(\d{1,9}|\*)$/.exec(option);
  if (bounds === null) return { attribute, sent, first: -1, last: undefined };
  return { attribute, sent, first: Number(bounds[1]), last: bounds[2] === '*' ? undefined : Number(bounds[2]) };
}
