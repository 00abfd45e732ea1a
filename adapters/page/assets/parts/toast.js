/** Short notices at the lower edge, read out politely; after a change they carry its undo. */
import { ask } from '../api.js';
import { h, icon } from './dom.js';

const SHOWN_MS = 9000;
const MOST = 3;

/** Told after an undo, so that the view in front can show what came back. @type {Set<() => void>} */
export const afterUndo = new Set();

/**
 * @param {string} text
 * @param {{action?: string, run?: () => Promise<any>|void, bad?: boolean}} [how]
 */
export function toast(text, { action, run, bad = false } = {}) {
  const tray = document.getElementById('toasts');
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
      await run();
    } catch (problem) {
      complain(problem);
    }
  };
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
    action && h('button', { type: 'button', class: 'toast-action', onclick: act }, action),
    h('button', { type: 'button', class: 'toast-close', 'aria-label': 'Dismiss', onclick: close }, icon('close')),
  );
  while (tray.childElementCount >= MOST) tray.firstElementChild.remove();
  tray.append(box);
  arm();
}

/** Say in the server's words what went wrong; an abandoned request says nothing. @param {any} problem */
export function complain(problem) {
  if (problem?.name === 'AbortError' || problem?.status === 401) return;
  toast(problem?.message ?? String(problem), { bad: true });
}

/** Take an operation back and say so. @param {number} operationId */
export async function undo(operationId) {
  const answer = await ask('POST', `operations/${encodeURIComponent(operationId)}/undo`);
  afterUndo.forEach((tell) => tell());
  done('Undone', answer, 'Redo');
}

/**
 * Say that a change was made, with its undo.
 * @param {string} text
 * @param {{body: any, headers: Headers}} answer of the write
 * @param {string} [word]
 */
export function done(text, answer, word = 'Undo') {
  const operation = operationOf(answer);
  if (operation) toast(text, { action: word, run: () => undo(operation) });
  else toast(text);
}

/**
 * The operation that a write made.
 * @param {{body: any, headers: Headers}} answer
 * @returns {number|null}
 */
export function operationOf({ headers }) {
  const told = headers.get('operation-id');
  return told === null ? null : Number(told);
}
