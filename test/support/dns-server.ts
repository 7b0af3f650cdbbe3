/** A small DNS server over UDP on loopback that knows SRV records and nothing else (RFC 1035, RFC 2782). */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { SrvRecord } from '../../src/sources/ldap/srv.ts';

/** Records by name; an empty list: the name exists without such records; a name that is not there: NXDOMAIN. */
export type Zone = Record<string, readonly SrvRecord[] | 'silence' | 'failure'>;

export interface DnsServer {
  /** `127.0.0.1:port`. */
  readonly address: string;
  /** May be changed while the server runs. */
  readonly zone: Zone;
  /** Names asked for, in order. */
  readonly queries: readonly string[];
  stop(): Promise<void>;
}

const srvType = 33;

export async function startDnsServer(zone: Zone): Promise<DnsServer> {
  const queries: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (message, sender) => {
    const { name, end } = readName(message, 12);
    queries.push(name);
    const records = zone[name];
    if (records === 'silence') return;
    socket.send(answer(message, end, records), sender.port, sender.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    zone,
    queries,
    async stop() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function answer(query: Buffer, questionEnd: number, records: Zone[string] | undefined): Buffer {
  const header = Buffer.alloc(12);
  query.copy(header, 0, 0, 2);
  const code = records === 'failure' ? 2 : records === undefined ? 3 : 0;
  const list = Array.isArray(records) ? (records as readonly SrvRecord[]) : [];
  header.writeUInt16BE(0x8580 | code, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(list.length, 6);
  return Buffer.concat([header, query.subarray(12, questionEnd + 4), ...list.map(encodeRecord)]);
}

function encodeRecord({ name, port, priority, weight }: SrvRecord): Buffer {
  const target = encodeName(name);
  const head = Buffer.alloc(18);
  head.writeUInt16BE(0xc00c, 0); // the name that was asked for
  head.writeUInt16BE(srvType, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(0, 6);
  head.writeUInt16BE(6 + target.length, 10);
  head.writeUInt16BE(priority, 12);
  head.writeUInt16BE(weight, 14);
  head.writeUInt16BE(port, 16);
  return Buffer.concat([head, target]);
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label, 'latin1')])),
    Buffer.from([0]),
  ]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let offset = start;
  for (let length = message[offset] ?? 0; length > 0; length = message[offset] ?? 0) {
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length).toLowerCase());
    offset += 1 + length;
  }
  return { name: labels.join('.'), end: offset + 1 };
}
