/** The page of a one-time link: the first admin chooses a name and password, a sign-in link asks for one press. */
import { ask, get, wordsOf } from './api.js';
import { h, present } from './parts/dom.js';
import { field, formOf } from './parts/form.js';

const LEAST_PASSWORD = 8;
const code = new URLSearchParams(location.search).get('code') ?? '';

/**
 * The link works once; what is left in the history and in the address bar must not look as if it worked twice.
 * @param {{ username?: string, password?: string }} account the first one, where it is chosen here
 */
async function consume(account) {
  await ask('POST', 'welcome', { body: { code, ...account } });
  location.replace(new URL('./', document.baseURI).href);
}

function chooseAccount() {
  const name = field('Your name', {
    name: 'username',
    autocomplete: 'username',
    autocapitalize: 'none',
    required: true,
  });
  const password = field('Choose a password', {
    name: 'password',
    type: 'password',
    autocomplete: 'new-password',
    minLength: LEAST_PASSWORD,
    required: true,
  });
  const hint = h(
    'p',
    { class: 'hint' },
    `At least ${LEAST_PASSWORD} characters. Several words are easier to remember than one with signs.`,
  );
  return [
    h('p', { class: 'lead' }, 'Your photos, the people in them, and a history that forgets nothing.'),
    formOf([name.element, password.element, hint], 'Begin', () =>
      consume({ username: name.input.value, password: password.input.value }),
    ),
  ];
}

const signIn = () => [
  h('p', { class: 'lead' }, 'This link signs you in once.'),
  formOf([], 'Sign in', () => consume({})),
];

/** @param {string} why */
const useless = (why) => [
  h('p', { class: 'lead' }, why),
  h('a', { class: 'button', href: './' }, 'To the sign-in page'),
];

async function contents() {
  if (!code) return useless('This address lacks its code. Open the link exactly as the terminal shows it.');
  try {
    const link = await get('welcome', { code });
    return link.purpose === 'sign-in' ? signIn() : chooseAccount();
  } catch (problem) {
    return useless(wordsOf(problem));
  }
}

const door = h(
  'main',
  { class: 'door' },
  h('div', { class: 'mark large', 'aria-hidden': 'true' }),
  h('h1', {}, 'imageapi'),
  await contents(),
);
present(document.getElementById('app')).replaceChildren(door);
(door.querySelector('input') ?? door.querySelector('button'))?.focus();
