/** What was done, by whom and when, in plain words; everything a person did can be taken back here. */
import { get } from '../api.js';
import { to } from '../router.js';
import { fill, h, icon } from '../parts/dom.js';
import { afterUndo, complain, undo } from '../parts/toast.js';
import { ago, grouped, longDayOf, moment } from '../parts/words.js';

/**
 * @import { OperationRow } from '../../shapes'
 * @import { Place, View } from '../router.js'
 */

const PAGE = 50;
/** What the server made by itself reads quieter than what a person decided. */
const SYSTEM = new Set(['watcher', 'autobind', 'insight', 'cli', 'server']);

/** The day of a moment in this browser's zone, as the digits that `longDayOf` reads. @param {string} at */
function localDay(at) {
  const date = new Date(at);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

/**
 * @param {Place} place
 * @returns {View}
 */
export function historyOf({ query }) {
  const days = h('div', { class: 'history' });
  const state = h('div', { class: 'state' });
  const older = h(
    'button',
    { type: 'button', class: 'button older', hidden: true, onclick: () => more().catch(complain) },
    'Older',
  );
  const narrowed = { actor: query.get('actor'), kind: query.get('kind'), person: query.get('person') };
  const entity = query.get('entity');
  /** @type {OperationRow[]} */
  let operations = [];
  /** @type {string|null} */
  let cursor = null;

  async function more() {
    const page = await (entity
      ? get(`entities/${Number(entity)}/history`, { cursor, limit: PAGE })
      : get('operations', { ...narrowed, before: operations.at(-1)?.id, limit: PAGE }));
    cursor = page.next_cursor;
    operations.push(...page.items);
    older.hidden = !page.next_cursor;
    show();
  }

  async function again() {
    operations = [];
    cursor = null;
    await more().catch(complain);
  }

  function show() {
    fill(
      state,
      operations.length === 0 && [
        h('h2', {}, 'Nothing was done yet'),
        h('p', {}, 'Every name, merge and tag is written here, and can be taken back.'),
      ],
    );
    const groups = grouped(operations, (operation) => longDayOf(localDay(operation.at)));
    fill(
      days,
      groups.map(([day, rows]) =>
        h('section', {}, h('h2', { class: 'history-day' }, day), h('ol', { class: 'history-list' }, rows.map(row))),
      ),
    );
  }

  return {
    title: 'History',
    element: h(
      'div',
      { class: 'page' },
      h(
        'div',
        { class: 'page-head' },
        h('h1', {}, 'History'),
        (entity || Object.values(narrowed).some(Boolean)) &&
          h('a', { class: 'button small', href: '#/history' }, 'Everything'),
      ),
      days,
      state,
      older,
    ),
    enter() {
      afterUndo.add(again);
      again();
    },
    leave: () => afterUndo.delete(again),
  };
}

/** @param {OperationRow} operation */
function row(operation) {
  const undone = operation.undone_by !== null;
  const system = SYSTEM.has(operation.actor);
  /** @param {{ currentTarget: HTMLButtonElement }} event */
  const take = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    try {
      await undo(operation.id);
    } catch (problem) {
      complain(problem);
    } finally {
      button.disabled = false;
    }
  };
  return h(
    'li',
    { class: `operation${undone ? ' undone' : ''}${system ? ' system' : ''}`, 'data-operation': String(operation.id) },
    h('span', { class: 'operation-mark' }, icon(operation.undoes ? 'undo' : system ? 'status' : 'check')),
    h(
      'p',
      {},
      h('span', { class: 'operation-text' }, operation.text),
      h(
        'span',
        { class: 'faint', title: moment(operation.at) },
        h('a', { href: to('history', '', { actor: operation.actor }) }, operation.actor),
        ` · ${ago(operation.at)}`,
      ),
    ),
    operation.kind === 'summary.write' && h('a', { class: 'button small', href: to('summaries') }, 'Read'),
    undone && h('span', { class: 'badge' }, 'undone'),
    !undone &&
      operation.undoable &&
      h(
        'button',
        {
          type: 'button',
          class: 'button small',
          'aria-label': `${operation.undoes ? 'Redo' : 'Undo'}: ${operation.text}`,
          onclick: take,
        },
        operation.undoes ? 'Redo' : 'Undo',
      ),
  );
}
