/** A text field with a list below it, of which the arrow keys, Enter and the pointer choose (ARIA's combobox). */
import { fill, h } from './dom.js';
import { complain } from './toast.js';

/** @import { Child } from './dom.js' */

let made = 0;

/**
 * @template Option
 * @typedef {object} Combobox
 * @property {HTMLElement} element
 * @property {() => void} focus
 * @property {() => string} typed what was typed
 * @property {(found: Option[], none: string) => void} offer show these, or what to say where there are none
 */

/**
 * @template Option
 * @param {object} given
 * @param {string} given.label of the field
 * @param {string} given.listLabel
 * @param {string} given.placeholder
 * @param {() => void} given.oninput
 * @param {() => Promise<void>} given.ready when what is offered belongs to what was typed: Enter waits for it
 * @param {(option: Option) => Promise<void>|void} given.choose
 * @param {(option: Option) => Child[]} given.draw what a row shows
 * @returns {Combobox<Option>}
 */
export function combobox({ label, listLabel, placeholder, oninput, ready, choose, draw }) {
  const id = `options-${++made}`;
  const list = h('ul', { class: 'options', role: 'listbox', id, 'aria-label': listLabel });
  const input = h('input', {
    type: 'text',
    placeholder,
    role: 'combobox',
    autocomplete: 'off',
    spellcheck: false,
    'aria-label': label,
    'aria-expanded': 'true',
    'aria-controls': id,
    'aria-autocomplete': 'list',
    oninput,
    onkeydown: (event) => walk(event),
  });
  /** @type {Option[]} */
  let options = [];
  let chosen = 0;
  let busy = false;

  /** @param {Option|undefined} option */
  async function pick(option) {
    if (busy || !option) return;
    busy = true;
    try {
      await choose(option);
    } catch (problem) {
      complain(problem);
    } finally {
      busy = false;
    }
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      chosen = (chosen + (event.key === 'ArrowDown' ? 1 : -1) + options.length) % Math.max(1, options.length);
      mark();
    } else if (event.key === 'Enter') {
      event.preventDefault();
      ready().then(() => pick(options[chosen]));
    }
  }

  function mark() {
    [...list.children].forEach((row, index) => row.setAttribute('aria-selected', String(index === chosen)));
    const row = options[chosen] && list.children[chosen];
    if (row) input.setAttribute('aria-activedescendant', row.id);
    else input.removeAttribute('aria-activedescendant');
    row?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {Option} option @param {number} index */
  const row = (option, index) =>
    h(
      'li',
      {
        role: 'option',
        id: `${id}-${index}`,
        class: 'option',
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => pick(option),
      },
      ...draw(option),
    );

  return {
    element: h('div', { class: 'picker' }, input, list),
    focus: () => input.focus(),
    typed: () => input.value.trim(),
    offer(found, none) {
      options = found;
      chosen = 0;
      fill(list, options.length ? options.map(row) : h('li', { class: 'faint options-none' }, none));
      mark();
    },
  };
}
