/** Dialogs that ask for a person, and show what would change before it does. */
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { personPicker } from './personpicker.js';

/**
 * @import { Change, Rehearsal } from '../../shapes'
 * @import { Choice } from './personpicker.js'
 */

/**
 * Ask for a person.
 * @param {string} title
 * @param {(choice: Choice) => Promise<void>} choose the dialog closes once it is through
 * @param {{without?: number[], create?: boolean}} [how]
 */
export function choosePerson(title, choose, { without = [], create = true } = {}) {
  const picker = personPicker({
    without,
    create,
    label: title,
    choose: async (choice) => {
      await choose(choice);
      dialog.close();
    },
  });
  const dialog = openDialog(title, picker.element);
  picker.focus();
}

/**
 * Ask for a person who is there already.
 * @param {string} title
 * @param {(person: { id: number, name: string }) => Promise<void>} choose as of `choosePerson`
 * @param {number[]} without
 */
export function chooseKnown(title, choose, without) {
  const chosen = async (/** @type {Choice} */ { id, name }) => {
    if (id !== null) await choose({ id, name });
  };
  choosePerson(title, chosen, { without, create: false });
}

const MOST = 6;

/** A field's value in words. @param {unknown} value */
function said(value) {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** A row that a change is of, null where there is none. @param {unknown} row */
const rowOf = (row) => /** @type {Record<string, unknown>|null} */ (row ?? null);

/** How a row is called. @param {Record<string, unknown>|null} row */
const nameOf = (row) => row?.name ?? row?.person_name;

/** What the sentence above a list of changes says already, or nobody wants to know. */
const UNSAID = new Set(['version', 'merged_into']);

/** How one change reads; empty where nothing is left to say. @param {Change} change */
function changeText(change) {
  const { kind } = change;
  const [before, after] = [rowOf(change.before), rowOf(change.after)];
  const name = nameOf(after ?? before) ?? '';
  if (!before) return `New ${kind}${name ? `: ${name}` : ''}`;
  if (!after) return `The ${kind}${name ? ` ${name}` : ''} goes`;
  const fields = Object.keys(after).filter(
    (field) => !UNSAID.has(field) && JSON.stringify(after[field]) !== JSON.stringify(before[field]),
  );
  const each = fields.map((field) => `${field.replaceAll('_', ' ')} ${said(before[field])} → ${said(after[field])}`);
  return each.length ? `${nameOf(before) ?? kind}: ${each.join(', ')}` : '';
}

/**
 * What a dry run says would change.
 * @param {Rehearsal} preview
 */
export function previewOf({ text, changes }) {
  const texts = changes.map(changeText).filter(Boolean);
  const rows = texts.slice(0, MOST).map((each) => h('li', {}, each));
  const more = texts.length - rows.length;
  return h(
    'div',
    { class: 'preview' },
    h('p', { class: 'preview-text' }, text),
    rows.length > 0 &&
      h('ul', { class: 'preview-list' }, rows, more > 0 && h('li', { class: 'faint' }, `and ${more} more`)),
  );
}
