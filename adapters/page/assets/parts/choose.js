/** Dialogs that ask for a person, and show what would change before it does. */
import { openDialog } from './dialog.js';
import { h } from './dom.js';
import { personPicker } from './personpicker.js';

/**
 * Ask for a person.
 * @param {string} title
 * @param {(choice: import('./personpicker.js').Choice) => Promise<any>} choose the dialog closes once it is through
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

const MOST = 6;

/** A field's value in words. @param {any} value */
function said(value) {
  if (value === null || value === undefined || value === '') return 'nothing';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** What the sentence above a list of changes says already, or nobody wants to know. */
const UNSAID = new Set(['version', 'merged_into']);

/** How one change reads; empty where nothing is left to say. @param {{kind: string, id: any, before: any, after: any}} change */
function changeText({ kind, before, after }) {
  const name = (after ?? before)?.name ?? (after ?? before)?.person_name ?? '';
  if (!before) return `New ${kind}${name ? `: ${name}` : ''}`;
  if (!after) return `The ${kind}${name ? ` ${name}` : ''} goes`;
  const fields = Object.keys(after).filter(
    (field) => !UNSAID.has(field) && JSON.stringify(after[field]) !== JSON.stringify(before[field]),
  );
  const each = fields.map((field) => `${field.replaceAll('_', ' ')} ${said(before[field])} → ${said(after[field])}`);
  return each.length ? `${before.name ?? before.person_name ?? kind}: ${each.join(', ')}` : '';
}

/**
 * What a dry run says would change.
 * @param {{text: string, changes: Array<{kind: string, id: any, before: any, after: any}>}} preview
 */
export function previewOf({ text, changes = [] }) {
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
