/** How names are looked for, as the server does it: without case, marks and apostrophes, their words in any order. */

/** Letters that Unicode does not take apart. @type {Record<string, string>} */
const PLAIN = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ð: 'd',
  đ: 'd',
  ħ: 'h',
  ı: 'i',
  ȷ: 'j',
  ĸ: 'k',
  ł: 'l',
  ŋ: 'n',
  ø: 'o',
  ŧ: 't',
  ə: 'e',
};
const APOSTROPHES = /['‘’‛ʹʻʼʽ`´′՚ꞌ＇]/gu;

/** The form in which names are compared when they are looked for. @param {string} text */
const folded = (text) =>
  text
    .replace(APOSTROPHES, '')
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/./gu, (letter) => PLAIN[letter] ?? letter);

/**
 * Says of names whether they hold every word that was typed.
 * @param {string} typed
 * @returns {(name: string) => boolean}
 */
export function finderOf(typed) {
  const words = folded(typed)
    .split(/[\s\p{Pd}]+/u)
    .filter(Boolean);
  return (name) => {
    const key = folded(name);
    return words.every((word) => key.includes(word));
  };
}

/** Whether a name begins with what was typed. @param {string} name @param {string} typed */
export const beginsWith = (name, typed) => folded(name).startsWith(folded(typed));

/** Whether two names are one to the server, which takes Jose and José for two. @param {string} a @param {string} b */
export const isSameName = (a, b) => keyOf(a) === keyOf(b);

/** @param {string} name */
const keyOf = (name) =>
  name
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('ß', 'ss')
    .replace(/\p{Cf}/gu, '')
    .trim()
    .replace(/\s+/gu, ' ');
