/**
 * The page's addresses: `#/name/part?query`. They live behind the hash so that a reload, a bookmark and a path prefix
 * of a reverse proxy all work, and no address of the page can hide a route of the API.
 */

/**
 * @typedef {{ name: string, part: string, query: URLSearchParams }} Place
 * @typedef {{ element: Element, title: string, bare?: boolean, enter?: () => void, leave?: () => void }} View
 *   `enter` is called when it is shown; a `bare` one stands without the frame
 */

/** @returns {Place} */
export function here() {
  const [path = '', query] = location.hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  const [name, part] = path.split('/');
  return {
    name: name || 'photos',
    part: part ? decodeURIComponent(part) : '',
    query: new URLSearchParams(query ?? ''),
  };
}

/**
 * The address of a view.
 * @param {string} name
 * @param {string|number} [part]
 * @param {Record<string, string|number|null|undefined>} [query] what is empty is left out
 */
export function to(name, part = '', query = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') parameters.set(key, String(value));
  const text = parameters.toString();
  return `#/${name}${part === '' ? '' : `/${encodeURIComponent(part)}`}${text ? `?${text}` : ''}`;
}

/** How many addresses of this page lie behind in the history. */
let depth = 0;

/** @param {string} address as `to` gives it @param {{replace?: boolean}} [how] */
export function go(address, { replace = false } = {}) {
  if (address === location.hash) return;
  if (replace) {
    history.replaceState(history.state, '', address);
    dispatchEvent(new HashChangeEvent('hashchange'));
  } else location.hash = address;
}

/** Back to where the visitor came from, or to `address` where this is the first view. @param {string} address */
export function back(address) {
  if (depth > 0) history.back();
  else go(address, { replace: true });
}

/** Change the address without showing another view. @param {string} address */
export const rename = (address) => history.replaceState(history.state, '', address);

/**
 * Call `show` now and at each new address.
 * @param {(place: Place) => void} show
 */
export function follow(show) {
  const arrive = () => {
    if (history.state?.depth === undefined) history.replaceState({ depth: ++depth }, '');
    else depth = history.state.depth;
    show(here());
  };
  depth = -1;
  arrive();
  addEventListener('hashchange', arrive);
}
