import { createSocket } from 'node:dgram';
import type { AddressInfo } from 'node:net';

/** Records of a name: mail exchangers, addresses; `nxdomain` for a name that does not exist; `silent`: no answer. */
export type Zone = Record<
  string,
  { mx?: string[]; a?: string; aaaa?: string; answer?: 'nxdomain' | 'silent' | 'servfail' }
>;

const types = { 1: 'a', 15: 'mx', 28: 'aaaa' } as const;
const codes = { nxdomain: 3, servfail: 2 } as const;

/** A DNS server over UDP that knows one zone (RFC 1035 §4); `questions` counts what it was asked, as `name type`. */
export async function startDns(zone: Zone): Promise<{ address: string; questions: string[]; close(): void }> {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, end } = readName(query, 12);
    const type = types[query.readUInt16BE(end) as keyof typeof types] ?? 'other';
    questions.push(`${name} ${type}`);
    const records = zone[name] ?? { answer: 'nxdomain' };
    if (records.answer === 'silent') return;
    const data = records.answer ? [] : recordData(records, type);
    const header = Buffer.from(query.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (records.answer ? codes[records.answer] : 0), 2);
    header.writeUInt16BE(data.length, 6);
    header.writeUInt16BE(0, 8);
    header.writeUInt16BE(0, 10);
    const answers = data.map((rdata) => {
      const fixed = Buffer.alloc(12);
      fixed.writeUInt16BE(0xc00c, 0);
      query.copy(fixed, 2, end, end + 4);
      fixed.writeUInt32BE(60, 6);
      fixed.writeUInt16BE(rdata.length, 10);
      return Buffer.concat([fixed, rdata]);
    });
    socket.send(Buffer.concat([header, query.subarray(12, end + 4), ...answers]), port, address);
  });
  await new Promise<void>((listening) => socket.bind(0, '127.0.0.1', listening));
  const { port } = socket.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, questions, close: () => socket.close() };
}

function recordData({ mx = [], a, aaaa }: Zone[string], type: string): Buffer[] {
  if (type === 'mx') return mx.map((exchange, index) => Buffer.concat([Buffer.from([0, index]), encodeName(exchange)]));
  if (type === 'a' && a) return [Buffer.from(a.split('.').map(Number))];
  if (type === 'aaaa' && aaaa) return [Buffer.from(aaaa, 'hex')];
  return [];
}

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter(Boolean);
  return Buffer.concat([
    ...labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);
}

function readName(message: Buffer, start: number): { name: string; end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 };
}
