/**
 * Requests and answers over one socket. Messages are encoded by ldapts; its client is not used, because a complete read needs what
 * it keeps to itself: the cookie of every page, even of an empty one, result codes as they are, the server's notice of
 * disconnection, entries while they arrive, and a way to stop at once.
 */
import type { Socket } from 'node:net';
import { type Message, UnbindRequest } from 'ldapts';
import { alertOf } from './connect-errors.ts';
import { createFramer, type Frame, MalformedMessageError } from './framing.ts';
import { type LdapResult, readReferences, readResult } from './ldap-result.ts';
import { formatResultCode } from './result-codes.ts';

/** The conversation broke off: connection lost, time-out, or an answer that is not LDAP. The message is a clause for a sentence. */
export class ConversationLostError extends Error {
  /** What to try, where the cause is known. */
  readonly hint: string | undefined;
  /** Other servers would do the same, or should not be asked. */
  readonly everywhere: boolean;

  constructor(message: string, hint?: string, everywhere = false) {
    super(message);
    this.hint = hint;
    this.everywhere = everywhere;
  }
}

export interface AnswerHandlers {
  /** Called with each search entry while it arrives. What it throws ends the conversation and rejects the request unchanged. */
  onEntry?(frame: Frame): void;
  onReference?(urls: readonly string[]): void;
  /** Called with each intermediate response (RFC 4511 section 4.13); without it they are ignored. */
  onIntermediate?(frame: Frame): void;
}

export interface Exchange {
  /** Sends one request and resolves with the result that ends its answer. One request at a time. Rejects with ConversationLostError. */
  request(message: Message, timeoutMs: number, handlers?: AnswerHandlers): Promise<LdapResult>;
  /** What is said to the server but may stand in no message of ours, should the server repeat it. */
  conceal(secret: string): void;
  /** Message ids count up within a connection. */
  nextMessageId(): number;
  /** Hands the socket back for a TLS handshake; throws when the server has already sent more than it was asked for. */
  detach(): Socket;
  /** Says goodbye (RFC 4511 section 4.3) and closes. Safe to call at any time, and twice. */
  close(): void;
  /** Says goodbye and breaks off: the request under way rejects with `reason`. */
  abort(reason: unknown): void;
}

interface PendingRequest {
  readonly id: number;
  readonly handlers: AnswerHandlers;
  resolve(result: LdapResult): void;
  reject(error: unknown): void;
}

const searchEntry = 0x64;
const searchReference = 0x73;
const intermediate = 0x79;
const resultOperations: ReadonlySet<number> = new Set([0x61, 0x65, 0x78]);

/** What a server that ends the conversation before its first answer may mean by it: a clause, and what to try. */
export interface Doubt {
  readonly clause: string;
  readonly hint: string;
}

export function createExchange(socket: Socket, doubt?: Doubt): Exchange {
  const framer = createFramer(onFrame);
  let lastId = 0;
  let pending: PendingRequest | undefined;
  let timer: NodeJS.Timeout | undefined;
  let notice = '';
  let answered = false;
  const secrets: string[] = [];
  let ended: { readonly reason: unknown } | undefined;

  function onFrame(frame: Frame): void {
    answered = true;
    if (frame.messageId === 0) {
      // Unsolicited: only the notice of disconnection exists (RFC 4511 section 4.4.1).
      const { code, message } = readResult(frame, secrets);
      notice = ` after saying ${formatResultCode(code)}${message === '' ? '' : `: ${message}`}`;
      return;
    }
    if (frame.messageId !== pending?.id) {
      throw new MalformedMessageError(`the server answered request ${frame.messageId}, which was not asked`);
    }
    if (frame.operation === searchEntry) pending.handlers.onEntry?.(frame);
    else if (frame.operation === searchReference) pending.handlers.onReference?.(readReferences(frame));
    else if (resultOperations.has(frame.operation)) settle(readResult(frame, secrets));
    else if (frame.operation === intermediate) pending.handlers.onIntermediate?.(frame);
    else {
      throw new MalformedMessageError(
        `the server sent an answer of the unknown kind 0x${frame.operation.toString(16)}`,
      );
    }
  }

  function settle(result: LdapResult): void {
    const request = pending;
    pending = undefined;
    clearTimeout(timer);
    request?.resolve(result);
  }

  /** `politely`: the server is there and listens, so it is told (RFC 4511 section 4.3). */
  function breakOff(reason: unknown, politely = false): void {
    if (ended !== undefined) return;
    ended = { reason };
    clearTimeout(timer);
    if (politely) sayGoodbye();
    else socket.destroy();
    pending?.reject(reason);
    pending = undefined;
  }

  function sayGoodbye(): void {
    socket.write(new UnbindRequest({ messageId: lastId + 1 }).write());
    socket.destroySoon();
  }

  function onData(chunk: Buffer): void {
    if (ended !== undefined) return;
    try {
      framer.push(chunk);
    } catch (error) {
      if (error instanceof MalformedMessageError) breakOff(notLdap(error, lastId <= 1));
      else breakOff(error, true);
    }
  }
  function lost(what: string, code?: string): ConversationLostError {
    // With TLS 1.3 the server judges our certificate after the handshake has ended on this side.
    const alert = alertOf(code);
    if (alert !== undefined)
      return new ConversationLostError(`${alert.reason} (${code})`, alert.hint, alert.everywhere);
    if (answered || doubt === undefined) return new ConversationLostError(what);
    return new ConversationLostError(`${what}; ${doubt.clause}`, doubt.hint);
  }
  const onEnd = () => breakOff(lost(`the server closed the connection${notice}`));
  const onError = (error: NodeJS.ErrnoException) =>
    breakOff(lost(`the connection broke${notice} (${error.code ?? error.message})`, error.code));

  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  socket.on('error', onError);

  return {
    request(message, timeoutMs, handlers = {}) {
      return new Promise<LdapResult>((resolve, reject) => {
        if (ended !== undefined) return reject(ended.reason);
        pending = { id: message.messageId, handlers, resolve, reject };
        timer = setTimeout(() => {
          breakOff(
            new ConversationLostError(`the server did not finish its answer within ${timeoutMs} ms${notice}`),
            true,
          );
        }, timeoutMs);
        socket.write(message.write());
      });
    },
    conceal(secret) {
      secrets.push(secret);
    },
    nextMessageId() {
      lastId += 1;
      return lastId;
    },
    detach() {
      if (ended !== undefined) throw ended.reason;
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      socket.pause();
      // Clear text that would be taken for encrypted text later (as in CVE-2011-0411).
      if (framer.pending() > 0)
        throw new ConversationLostError('the server sent more before the TLS handshake than its answer');
      return socket;
    },
    close() {
      if (ended !== undefined) return;
      ended = { reason: new ConversationLostError('the connection is closed') };
      clearTimeout(timer);
      sayGoodbye();
    },
    abort: (reason) => breakOff(reason, true),
  };
}

function notLdap(error: MalformedMessageError, firstAnswer: boolean): ConversationLostError {
  const hint = 'check that the URL names an LDAP server, and that ldap:// and ldaps:// fit the port';
  return new ConversationLostError(error.message, firstAnswer ? hint : undefined);
}
