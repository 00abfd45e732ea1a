/** What was said on which day: daily summaries, the newest first, or those that mean what is looked for. */
import { ask, get } from '../api.js';
import { to } from '../router.js';
import { fill, h, iconButton, settled } from '../parts/dom.js';
import { afterUndo, complain, done } from '../parts/toast.js';
import { grouped, longDayOf } from '../parts/words.js';

/**
 * @import { SummaryView } from '../../shapes'
 * @import { View } from '../router.js'
 */

const PAGE = 50;
const FOUND = 20;
const SEARCH_MS = 500;

/** @returns {View} */
export function summaries() {
  const list = h('div', { class: 'history' });
  const state = h('div', { class: 'state' });
  const older = h(
    'button',
    { type: 'button', class: 'button older', hidden: true, onclick: () => more().catch(complain) },
    'Older',
  );
  const search = h('input', {
    type: 'search',
    placeholder: 'What was it about?',
    'aria-label': 'Search what was said',
    autocomplete: 'off',
  });
  /** @type {SummaryView[]} */
  let rows = [];
  /** @type {string|null} */
  let cursor = null;
  let asked = 0;

  async function more() {
    const turn = asked;
    const page = await get('summaries', { limit: PAGE, cursor });
    if (turn !== asked) return;
    cursor = page.next_cursor;
    rows.push(...page.items);
    show(
      'Nothing was summarised yet',
      'Days that are over are told in a few sentences where conversations are set (SMS_API_URL).',
    );
  }

  /** @param {string} wanted */
  async function find(wanted) {
    const turn = asked;
    const found = await get('summaries/search', { q: wanted, limit: FOUND });
    if (turn !== asked) return;
    rows = found.items.map((hit) => hit.summary);
    show(
      'Nothing was found',
      found.pending ? 'Some summaries cannot be searched yet: they are being made ready.' : 'Other words may find it.',
    );
  }

  async function again() {
    asked += 1;
    rows = [];
    cursor = null;
    const wanted = search.value.trim();
    await (wanted ? find(wanted) : more()).catch(complain);
  }

  /** @param {SummaryView} summary @param {HTMLButtonElement} button */
  async function remove(summary, button) {
    button.disabled = true;
    try {
      const answer = await ask('DELETE', `summaries/${summary.id}`, {});
      rows = rows.filter((row) => row !== summary);
      show('Nothing is left', 'What was deleted is not made again.');
      done('Deleted a summary', answer);
    } catch (problem) {
      button.disabled = false;
      complain(problem);
    }
  }

  /** @param {string} nothing @param {string} why */
  function show(nothing, why) {
    older.hidden = !cursor;
    fill(state, rows.length === 0 && [h('h2', {}, nothing), h('p', {}, why)]);
    fill(
      list,
      grouped(rows, (row) => row.day).map(([day, own]) =>
        h(
          'section',
          {},
          h(
            'h2',
            { class: 'history-day' },
            h('a', { href: to('photos', '', { from: day, to: day }) }, longDayOf(`${day}T00:00`)),
          ),
          h(
            'div',
            { class: 'cards' },
            own.map((row) => card(row, remove)),
          ),
        ),
      ),
    );
  }

  search.addEventListener(
    'input',
    settled(() => again(), SEARCH_MS),
  );
  return {
    title: 'What was said',
    element: h(
      'div',
      { class: 'page' },
      h('div', { class: 'page-head' }, h('h1', {}, 'What was said'), h('div', { class: 'page-tools' }, search)),
      list,
      state,
      older,
    ),
    enter() {
      afterUndo.add(again);
      again();
    },
    leave: () => {
      asked += 1;
      afterUndo.delete(again);
    },
  };
}

/** @param {SummaryView} summary @param {(summary: SummaryView, button: HTMLButtonElement) => void} remove */
function card(summary, remove) {
  const button = iconButton('close', `Delete the summary of ${summary.day} with ${summary.contact}`, () =>
    remove(summary, button),
  );
  return h(
    'article',
    { class: 'card' },
    h('div', { class: 'card-head' }, h('b', {}, summary.contact), button),
    h('p', {}, summary.text),
  );
}
