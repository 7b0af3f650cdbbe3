/** For JSON of which nothing may depend on its being well-formed. */

/** The value where it is an object; an empty one otherwise. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** The object that the text is as JSON; an empty one when it is none. */
export function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return {};
  }
}
