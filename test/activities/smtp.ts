import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer } from 'smtp-server';

/** A mail server that keeps what it accepts, and answers as a test tells it. */
export interface TestSmtp {
  url: string;
  mails: Email[];
  /** To whom each of them was to go, in the words of SMTP. */
  envelopes: string[][];
  /** Answer to a recipient, such as 550; undefined accepts. */
  answers: Map<string, number>;
  close(): Promise<void>;
}

export async function startSmtp(): Promise<TestSmtp> {
  const mails: Email[] = [];
  const envelopes: string[][] = [];
  const answers = new Map<string, number>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    onMailFrom: ({ address }, _session, accept) => accept(answers.has(address) ? refusal(answers.get(address)!) : null),
    onRcptTo: ({ address }, _session, accept) => accept(answers.has(address) ? refusal(answers.get(address)!) : null),
    onData: (stream, { envelope }, accept) => {
      text(stream)
        .then((source) => PostalMime.parse(source))
        .then((mail) => {
          mails.push(mail);
          envelopes.push(envelope.rcptTo.map(({ address }) => address));
          accept(null);
        }, accept);
    },
  });
  server.on('error', () => undefined);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    envelopes,
    answers,
    close: () => new Promise((closed) => server.close(closed)),
  };
}

function refusal(responseCode: number): Error {
  return Object.assign(new Error('not here'), { responseCode });
}
