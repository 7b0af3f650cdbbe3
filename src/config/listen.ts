import { InternalError } from '../errors.ts';

export interface ListenAddress {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

/** `host:port`, with an IPv6 address in brackets (RFC 3986 section 3.2.2). Undefined when it is not. */
export function parseListen(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port > 65_535 ? undefined : { host, port };
}

/** Of a text that the schema has accepted. */
export function listenAddress(text: string): ListenAddress {
  const address = parseListen(text);
  if (address === undefined) throw new InternalError(`"${text}" is not host:port, and the schema let it pass`);
  return address;
}
