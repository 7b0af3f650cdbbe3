import * as z from 'zod';
import { isLoopback } from '../loopback.ts';
import { duration, flag, path, text } from './values.ts';

const serverUrl = z.string().refine(isLdapUrl, {
  error:
    'must be ldaps://host, ldap://host, either with a port, or ldaps+srv://domain, ldap+srv://domain, and nothing after it',
});

export const url = z.union([serverUrl, z.array(serverUrl).min(1)]).meta({
  title: 'URL or list of URLs',
  description:
    'The directory servers, tried in order until one can be read; a read never mixes two. `ldaps+srv://domain` asks DNS for the servers of a domain at each read (RFC 2782), as Active Directory publishes them.',
  examples: [['ldaps://dc1.corp.example', 'ldaps://dc2.corp.example']],
});

function isLdapUrl(value: string): boolean {
  const parsed = /^ldaps?(?:\+srv)?:\/\/[^/?#@]+\/?$/i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  return parsed !== undefined && parsed.hostname !== '' && !(parsed.protocol.includes('+srv') && parsed.port !== '');
}

export function isEncrypted(value: string): boolean {
  return /^ldaps[:+]/i.test(value);
}

/** Whether a password sent to this URL without StartTLS can be read on the way. */
export function isReadableOnTheWay(value: string): boolean {
  return !isEncrypted(value) && URL.canParse(value) && !isLoopback(new URL(value).hostname);
}

export const tls = z
  .strictObject({
    caFile: path()
      .optional()
      .meta({
        description:
          "PEM file with the authority of the server's certificate. When not set, the authorities that Node.js trusts.",
        examples: ['ca.pem'],
      }),
    systemStore: flag().default(false).meta({
      description:
        'Trust the authorities that the operating system trusts, and those of `caFile` besides when it is set.',
    }),
    certFile: path()
      .optional()
      .meta({
        description:
          'PEM file with our own certificate, and its chain, for servers that ask for one. Without `bindDn` it also says who we are (SASL EXTERNAL, RFC 4513).',
        examples: ['client.pem'],
      }),
    keyFile: path()
      .optional()
      .meta({ description: 'PEM file with the private key of `certFile`.', examples: ['client.key'] }),
    startTls: flag()
      .default(false)
      .meta({ description: 'Turn an ldap:// connection into TLS before anything is sent.' }),
    insecureClearText: flag().default(false).meta({
      description:
        'Send the password of `bindDn` over an ldap:// connection that nothing protects. Everybody on the way can read it, and the directory with it. Not needed for loopback addresses.',
    }),
    minVersion: z
      .enum(['TLSv1.2', 'TLSv1.3'])
      .default('TLSv1.2')
      .meta({ description: 'Oldest version of TLS accepted.' }),
    serverName: text('host name')
      .optional()
      .meta({
        description: "Name that the server's certificate must carry, when it is not the host of the URL.",
        examples: ['ldap.corp.example'],
      }),
  })
  .prefault({})
  .meta({ description: 'How the connection is protected. The certificate is always checked.' });

export const timeouts = z
  .strictObject({
    connect: duration()
      .default('10s')
      .meta({ description: 'For each step until the connection is ready: DNS, TCP, TLS, bind.' }),
    operation: duration().default('300s').meta({ description: 'For each answer of the server, e.g. one page.' }),
    read: duration().default('1h').meta({
      description:
        'For a whole read of the directory, from the first connection to the last entry, other servers included.',
    }),
  })
  .prefault({})
  .meta({ description: 'How long the server may take.' });
