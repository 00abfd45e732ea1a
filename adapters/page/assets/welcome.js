/** The page of a one-time link: the first admin chooses a name and password, a sign-in link asks for one press. */
import { ask, get } from './api.js';
import { h } from './parts/dom.js';
import { field, formOf } from './parts/form.js';

const LEAST_PASSWORD = 8;
const code = new URLSearchParams(location.search).get('code') ?? '';

/** The link works once; what is left in the history and in the address bar must not look as if it worked twice. */
async function consume(body) {
  await ask('POST', 'welcome', { body: { code, ...body } });
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
      consume({ name: name.input.value, password: password.input.value }),
    ),
  ];
}

const signIn = () => [
  h('p', { class: 'lead' }, 'This link signs you in once.'),
  formOf([], 'Sign in', () => consume({})),
];

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
    return useless(problem.message);
  }
}

document
  .getElementById('app')
  .replaceChildren(
    h(
      'main',
      { class: 'door' },
      h('div', { class: 'mark large', 'aria-hidden': 'true' }),
      h('h1', {}, 'imageapi'),
      await contents(),
    ),
  );
document.querySelector('input, button')?.focus();
