/** Text of others on a terminal. */

/** Control and format characters. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}]/gu;

/** What others say must not move the cursor of who reads it. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '\u{fffd}');
}
