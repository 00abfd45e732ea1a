/** Short notices at the lower edge, read out politely; after a change they carry its undo. */
import { ask, isAbort, isStatus, wordsOf } from '../api.js';
import { h, icon, present } from './dom.js';

/** @import { Answered } from '../api.js' */

const SHOWN_MS = 9000;
const MOST = 3;

/** Told after an undo, so that the view in front can show what came back. @type {Set<() => void>} */
export const afterUndo = new Set();

/**
 * @param {string} text
 * @param {{ action?: { word: string, run: () => Promise<void> }, bad?: boolean }} [how]
 */
export function toast(text, { action, bad = false } = {}) {
  const tray = present(document.getElementById('toasts'));
  let timer = 0;
  const close = () => {
    clearTimeout(timer);
    box.remove();
  };
  /** A dialog covers the notices: their time runs on when it is closed. */
  const arm = () => {
    timer = setTimeout(() => (document.querySelector('dialog[open]') ? arm() : close()), SHOWN_MS);
  };
  const act = async () => {
    close();
    try {
      await action?.run();
    } catch (problem) {
      complain(problem);
    }
  };
  /** @type {HTMLDivElement} */
  const box = h(
    'div',
    {
      class: bad ? 'toast bad' : 'toast',
      onpointerenter: () => clearTimeout(timer),
      onpointerleave: arm,
      onfocusin: () => clearTimeout(timer),
      onfocusout: arm,
    },
    h('span', { class: 'toast-text' }, text),
    action && h('button', { type: 'button', class: 'toast-action', onclick: act }, action.word),
    h('button', { type: 'button', class: 'toast-close', 'aria-label': 'Dismiss', onclick: close }, icon('close')),
  );
  while (tray.childElementCount >= MOST) tray.firstElementChild?.remove();
  tray.append(box);
  arm();
}

/** Say in the server's words what went wrong; an abandoned request says nothing. @param {unknown} problem */
export function complain(problem) {
  if (isAbort(problem) || isStatus(problem, 401)) return;
  toast(wordsOf(problem), { bad: true });
}

/** Take an operation back and say so. @param {number} operationId */
export async function undo(operationId) {
  const answer = await ask('POST', `operations/${operationId}/undo`, {});
  afterUndo.forEach((tell) => tell());
  done('Undone', answer, 'Redo');
}

/**
 * Say that a change was made, with its undo.
 * @param {string} text
 * @param {Answered<unknown>} answer of the write
 * @param {string} [word]
 */
export function done(text, answer, word = 'Undo') {
  const operation = operationOf(answer);
  if (operation) toast(text, { action: { word, run: () => undo(operation) } });
  else toast(text);
}

/**
 * The operation that a write made.
 * @param {Answered<unknown>} answer
 * @returns {number|null}
 */
export function operationOf({ headers }) {
  const told = headers.get('operation-id');
  return told === null ? null : Number(told);
}
