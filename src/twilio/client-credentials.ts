import { accept, type Minted, type Refusal, requestToken, type TokenEndpoint } from './token-request.ts';

/** RFC 6749 section 4.4. */
export async function mintByCredentials(endpoint: TokenEndpoint): Promise<Minted> {
  const grant = {
    grantType: 'client_credentials',
    fields: {},
    refused: (_: unknown, client: Refusal) => client,
  } as const;
  return accept(endpoint, await requestToken(endpoint, grant));
}
