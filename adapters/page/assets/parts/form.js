/** Forms: a labelled field, and a form that says below its button what the server thinks of it. */
import { wordsOf } from '../api.js';
import { h } from './dom.js';

/** @import { Child, Props } from './dom.js' */

let made = 0;

/**
 * A labelled input.
 * @param {string} label
 * @param {Props<'input'>} props of the input
 */
export function field(label, props) {
  const id = `field-${++made}`;
  const input = h('input', { type: 'text', id, ...props });
  return { input, element: h('div', { class: 'field' }, h('label', { for: id }, label), input) };
}

/**
 * @param {Child} fields
 * @param {string} action the word on the button
 * @param {() => Promise<void>} submit what it throws is shown
 */
export function formOf(fields, action, submit) {
  const trouble = h('p', { class: 'trouble', role: 'alert' });
  const button = h('button', { class: 'button primary wide' }, action);
  /** @param {Event} event */
  const onsubmit = async (event) => {
    event.preventDefault();
    trouble.textContent = '';
    button.disabled = true;
    try {
      await submit();
    } catch (problem) {
      trouble.textContent = wordsOf(problem);
    } finally {
      button.disabled = false;
    }
  };
  return h('form', { class: 'form', onsubmit }, fields, button, trouble);
}
