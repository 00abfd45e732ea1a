/** Short notices at the lower edge, read out politely; after a change they carry its undo. */
import { ask, isAbort, isStatus, Problem, wordsOf } from '../api.js';
import { h, icon, present } from './dom.js';
import { count } from './words.js';

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

/**
 * Take an operation back and say so; where later ones stand in the way, say which, and offer to take all of them back.
 * @param {number} operationId @param {boolean} [withLater]
 */
export async function undo(operationId, withLater = false) {
  try {
    const answer = await ask('POST', `operations/${operationId}/undo`, { query: { with_later: withLater } });
    afterUndo.forEach((tell) => tell());
    done('Undone', answer, 'Redo');
  } catch (problem) {
    const later = problem instanceof Problem ? problem.operations : [];
    if (!later.length) throw problem;
    const [first] = later;
    const more = later.length > 1 ? ` and ${count(later.length - 1, 'more operation')}` : '';
    toast(`Later came: ${first?.text}${more}.`, {
      bad: true,
      action: {
        word: later.length > 1 ? `Undo all ${later.length + 1}` : 'Undo both',
        run: () => undo(operationId, true),
      },
    });
  }
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
