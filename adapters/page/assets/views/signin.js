/** The sign-in form, shown in place of whatever was asked for. */
import { ask } from '../api.js';
import { h } from '../parts/dom.js';
import { field, formOf } from '../parts/form.js';

/** @import { View } from '../router.js' */

/**
 * @param {() => void} signedIn
 * @returns {View}
 */
export function signIn(signedIn) {
  const name = field('Name', { name: 'username', autocomplete: 'username', autocapitalize: 'none', required: true });
  const password = field('Password', {
    name: 'password',
    type: 'password',
    autocomplete: 'current-password',
    required: true,
  });
  const submit = async () => {
    await ask('POST', 'login', { body: { username: name.input.value, password: password.input.value } });
    signedIn();
  };
  return {
    title: 'Sign in',
    bare: true,
    enter: () => name.input.focus(),
    element: h(
      'main',
      { id: 'main', class: 'door' },
      h('div', { class: 'mark large', 'aria-hidden': 'true' }),
      h('h1', {}, 'imageapi'),
      formOf([name.element, password.element], 'Sign in', submit),
      h(
        'p',
        { class: 'hint' },
        'No password at hand? Restart the server in a terminal: it prints a link that signs you in.',
      ),
    ),
  };
}
