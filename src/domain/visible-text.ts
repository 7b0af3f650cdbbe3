/**
 * Text of others (names, DNs, messages of servers) made safe to look at. Taken out, or written as an escape, is what steers a
 * terminal or deceives a reader: control characters with the escapes they begin (ISO 6429), line separators, marks that turn the
 * direction of text (Unicode Technical Report 36, "Bidirectional Text Spoofing"), and characters that take no room.
 *
 * Joiners (U+200C, U+200D) stay where a script or an emoji needs them: between characters of scripts that join, and in emoji.
 */

const joining =
  '\\p{Script=Arabic}\\p{Script=Syriac}\\p{Script=Mongolian}\\p{Script=Devanagari}\\p{Script=Bengali}\\p{Script=Gurmukhi}' +
  '\\p{Script=Gujarati}\\p{Script=Oriya}\\p{Script=Tamil}\\p{Script=Telugu}\\p{Script=Kannada}\\p{Script=Malayalam}' +
  '\\p{Script=Sinhala}\\p{Script=Myanmar}\\p{Script=Khmer}\\p{Extended_Pictographic}\\p{Emoji_Modifier}\\ufe0f';

/** Everything but control characters of ASCII. */
const deceiving =
  '\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';

const strayJoiner = `(?<![${joining}])[\\u200c\\u200d]|[\\u200c\\u200d](?![${joining}])`;

const unsafe = new RegExp(`[\\u0000-\\u001f${deceiving}]|${strayJoiner}`, 'gu');
const unsafeInJson = new RegExp(`[${deceiving}]|${strayJoiner}`, 'gu');
const unsafeInOutput = new RegExp(
  `(\\u001b\\[\\d{1,2}m|\\r?\\n|\\t)|[\\u0000-\\u001f${deceiving}]|${strayJoiner}`,
  'gu',
);

/** Most text is plain, and is not looked at twice. */
const plainLine = /^[\x20-\x7e]*$/;
const plainLines = /^[\n\x20-\x7e]*$/;

/** One line of a report: each unsafe character becomes U+FFFD. */
export function printable(text: string): string {
  return plainLine.test(text) ? text : text.replace(unsafe, '\ufffd');
}

/** One line of a log for people: each unsafe character becomes `\uXXXX`. */
export function escapedText(text: string): string {
  return plainLine.test(text) ? text : text.replace(unsafe, escapes);
}

/** Finished JSON, which says the same afterwards: unsafe characters can only be within its strings. */
export function escapedJson(json: string): string {
  return plainLines.test(json) ? json : json.replace(unsafeInJson, escapes);
}

/** The last net before a terminal, over finished output: line breaks, tabs and the colours of our own stay. */
export function safeOutput(text: string): string {
  return plainLines.test(text) ? text : text.replace(unsafeInOutput, (_, kept?: string) => kept ?? '\ufffd');
}

function escapes(characters: string): string {
  return characters
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
