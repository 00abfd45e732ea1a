/** A row of the review: faces, what is asked about them, and the answers, each with its key. */
import { h } from './dom.js';

/**
 * @import { Child } from './dom.js'
 * @typedef {{ key: string, text: string, run: () => void, kind?: 'quiet'|'primary' }} Answer
 * @typedef {{ element: HTMLElement, keys: Map<string, () => void> }} ReviewRow
 */

/**
 * @param {object} given
 * @param {Child} given.faces
 * @param {Child} given.words
 * @param {Array<Answer|null|false>} given.answers
 * @param {(row: HTMLElement) => void} given.chosen told which row a button was pressed in
 * @param {Record<string, string>} [given.data] attributes of the row
 * @returns {ReviewRow}
 */
export function reviewRow({ faces, words, answers, chosen, data = {} }) {
  const given = answers.filter((answer) => answer !== null && answer !== false);
  const keys = new Map(given.map(({ key, run }) => [key, run]));
  const buttons = given.map(({ key, text, run, kind = 'quiet' }) =>
    h(
      'button',
      {
        type: 'button',
        class: `button small ${kind}`,
        'aria-keyshortcuts': key,
        onclick: () => {
          chosen(element);
          run();
        },
      },
      text,
      ' ',
      h('kbd', {}, key.toUpperCase()),
    ),
  );
  /** @type {HTMLElement} */
  const element = h(
    'li',
    { class: 'cluster', ...data },
    faces,
    h(
      'div',
      { class: 'cluster-words' },
      h('span', { class: 'cluster-size' }, words),
      h('div', { class: 'cluster-actions' }, buttons),
    ),
  );
  return { element, keys };
}
