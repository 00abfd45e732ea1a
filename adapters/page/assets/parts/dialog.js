/**
 * Modal dialogs on the browser's own `<dialog>`: it keeps the focus inside, closes with Esc and gives the focus back.
 */
import { h, iconButton } from './dom.js';

/** @import { Child } from './dom.js' */

/**
 * Open a dialog; on a phone it rises from the lower edge.
 * @param {string} title
 * @param {Child} content
 * @param {{class?: string, onclose?: () => void}} [how]
 * @returns {{close: () => void, element: HTMLDialogElement}}
 */
export function openDialog(title, content, { class: name = '', onclose } = {}) {
  const opener = document.activeElement;
  const heading = h('h2', { id: `dialog-${Math.random().toString(36).slice(2)}` }, title);
  const close = () => element.close();
  /** @type {HTMLDialogElement} */
  const element = h(
    'dialog',
    {
      class: `dialog ${name}`,
      'aria-labelledby': heading.id,
      onclick: (event) => event.target === element && close(),
      onkeydown: (event) => event.stopPropagation(),
      onclose: () => {
        element.remove();
        if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
        onclose?.();
      },
    },
    h(
      'div',
      { class: 'dialog-body' },
      h('header', { class: 'dialog-head' }, heading, iconButton('close', 'Close', close)),
      content,
    ),
  );
  (document.querySelector('.viewer') ?? document.body).append(element);
  element.showModal();
  return { close, element };
}

/**
 * Ask before something that changes much.
 * @param {string} title
 * @param {Child} content
 * @param {string} word on the button
 * @param {{danger?: boolean}} [how]
 * @returns {Promise<boolean>}
 */
export function confirmed(title, content, word, { danger = false } = {}) {
  return new Promise((answer) => {
    let agreed = false;
    const agree = () => {
      agreed = true;
      dialog.close();
    };
    const action = h(
      'button',
      { type: 'button', class: danger ? 'button danger' : 'button primary', onclick: agree },
      word,
    );
    const dialog = openDialog(
      title,
      [
        h('div', { class: 'dialog-text' }, content),
        h(
          'div',
          { class: 'actions' },
          h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, 'Cancel'),
          action,
        ),
      ],
      { onclose: () => answer(agreed) },
    );
    action.focus();
  });
}
