/**
 * Builds the page's elements. Text only ever becomes text nodes: there is no way here to pass markup.
 */

/**
 * @typedef {keyof HTMLElementTagNameMap} Tag
 * @typedef {Node|string|number|null|undefined|false|readonly Child[]} Child null, undefined and false are left out
 * @typedef {keyof typeof OUTLINES} IconName
 */
/**
 * Listeners of an element, by the names of events with `on` before them.
 * @template {Tag} T
 * @typedef {{
 *   [E in keyof HTMLElementEventMap as `on${E}`]?: (event: EventOn<T, HTMLElementEventMap[E]>) => void
 * }} Listeners
 */
/**
 * @template {Tag} T
 * @template {Event} E
 * @typedef {E & { currentTarget: HTMLElementTagNameMap[T] }} EventOn
 */
/**
 * @typedef {{ class?: string, role?: string, for?: string, list?: string,
 *   [attribute: `${string}-${string}`]: string|undefined }} Attributes
 */
/**
 * @template {Tag} T
 * @typedef {Exclude<keyof HTMLElementTagNameMap[T], keyof Attributes | `on${string}`>} PropertyOf
 */
/**
 * What an element is made with; null and undefined leave a prop out.
 * @template {Tag} T
 * @typedef {Listeners<T> & Attributes & { [N in PropertyOf<T>]?: HTMLElementTagNameMap[T][N]|null }} Props
 */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * One element. In `props`, `onclick` and its like are listeners, `class`, `data-…`, `aria-…`, `role` and other names
 * with a dash are attributes, anything else is a property of the element.
 * @template {Tag} T
 * @param {T} tag
 * @param {Props<T>} props
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of /** @type {Array<[string, unknown]>} */ (Object.entries(props))) {
    if (value === null || value === undefined) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (name === 'class') element.className = String(value);
    else if (name === 'role' || name === 'for' || name === 'list' || name.includes('-'))
      element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  add(element, children);
  return element;
}

/**
 * Put children behind what is there; arrays are flattened, null, undefined and false are left out.
 * @param {Element} parent
 * @param {readonly Child[]} children
 */
export function add(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) parent.append(child);
    else if (typeof child === 'object') add(parent, child);
    else parent.append(String(child));
  }
}

/**
 * Let an element hold exactly these children.
 * @param {Element} parent
 * @param {...Child} children
 */
export function fill(parent, ...children) {
  parent.replaceChildren();
  add(parent, children);
}

/**
 * What must be there: to go on without it would only fail later and say less.
 * @template T
 * @param {T|null|undefined} thing
 * @returns {T}
 */
export function present(thing) {
  if (thing === null || thing === undefined) throw new Error('Something that the page is made of is missing.');
  return thing;
}

/** Whether keys belong to a field that somebody types in. */
export const isTyping = () => /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName ?? '');

/** Outlines on a 24 × 24 grid; several paths are divided by a bar. */
const OUTLINES = {
  photos: 'M4 5h16v14H4z|M4 16l5-5 4 4 2.5-2.5L20 17|M15.5 9.2a.8.8 0 1 0 0-.01',
  people:
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z|M2.5 20c.6-3.6 3-5.5 6.5-5.5s5.9 1.9 6.5 5.5|' +
    'M16 4.8a3.3 3.3 0 0 1 0 6.4|M18 14.8c2 .7 3.2 2.4 3.6 5.2',
  folders: 'M3.5 6.5h6l2 2.5h9v10h-17z',
  history: 'M4.5 12a7.5 7.5 0 1 0 2.5-5.6|M4 4v4h4|M12 8v4.3l3 1.8',
  status: 'M3 12h4l2.5-6 5 12 2.5-6h4',
  search: 'M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13z|M15.5 15.5L20.5 20.5',
  back: 'M19 12H5|M11 6l-6 6 6 6',
  left: 'M14.5 5l-7 7 7 7',
  right: 'M9.5 5l7 7-7 7',
  close: 'M6 6l12 12|M18 6L6 18',
  face:
    'M4 8V5.5A1.5 1.5 0 0 1 5.5 4H8|M16 4h2.5A1.5 1.5 0 0 1 20 5.5V8|M20 16v2.5a1.5 1.5 0 0 1-1.5 1.5H16|' +
    'M8 20H5.5A1.5 1.5 0 0 1 4 18.5V16|M9.5 10v.5|M14.5 10v.5|M9 14.3c1.7 1.6 4.3 1.6 6 0',
  draw: 'M4 4h4M12 4h4M4 4v4M4 12v4M4 20h4|M20 4v3|M13.5 20.5l.6-3 5.6-5.6 2.4 2.4-5.6 5.6z',
  details: 'M12 20.5a8.5 8.5 0 1 0 0-17 8.5 8.5 0 0 0 0 17z|M12 11v5.5|M12 7.6v.3',
  download: 'M12 4v11|M7 10.5l5 5 5-5|M4.5 19.5h15',
  check: 'M5 12.5l4.5 4.5L19 7.5',
  plus: 'M12 5v14|M5 12h14',
  more: 'M6 12v.01|M12 12v.01|M18 12v.01',
  videos: 'M3.5 6.5h11.5v11H3.5z|M15 10.8l5.5-3v8.4l-5.5-3',
  play: 'M8 5.5v13l10.5-6.5z',
  undo: 'M8 5L4 9l4 4|M4 9h10a5.5 5.5 0 0 1 0 11h-3',
  signout: 'M10 4H5v16h5|M10 12h10|M16 8l4 4-4 4',
  pin:
    'M12 21s6.5-6 6.5-11a6.5 6.5 0 0 0-13 0c0 5 6.5 11 6.5 11z|' + 'M12 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z',
  camera: 'M3.5 8h4l1.5-2.5h6L16.5 8h4v11h-17z|M12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
  calendar: 'M4 6h16v14H4z|M4 10.5h16|M8 3.5V8|M16 3.5V8',
  tag: 'M3.5 4.5h8l9 9-7.5 7.5-9.5-9z|M8 9v.01',
  insight: 'M12 3.5l1.8 5.2 5.2 1.8-5.2 1.8L12 17.5l-1.8-5.2L5 10.5l5.2-1.8z|M18.5 16v4.5|M16.2 18.2h4.6',
  good:
    'M4 11h3.5v8.5H4z|' +
    'M7.5 11l4-7.5c1.6 0 2.3 1.2 2 2.6L13 9.5h5.2c1.2 0 2 1.1 1.7 2.3l-1.5 6c-.3 1-1.1 1.7-2.1 1.7H7.5',
  bad:
    'M20 13h-3.500V4.500H20z|' +
    'M16.500 13l-4 7.500c-1.600 0-2.300-1.200-2-2.600L11 14.500H5.800c-1.200 0-2-1.100-1.700-2.300l1.500-6' +
    'c.3-1 1.100-1.700 2.100-1.700h8.800',
  organisation: 'M5 20.5V4.5h9v16|M14 10h5v10.500|M8 8.500h3|M8 12.500h3|M8 16.500h3|M3.500 20.500h17',
  pencil: 'M4.500 19.500l1-4L16 5l3 3L8.500 18.500z|M13.500 7.500l3 3',
  file: 'M6 3.5h8l4.5 4.5v12.5H6z|M13.5 3.5v5h5',
};

/**
 * An icon that says nothing to a screen reader; the button around it carries the label.
 * @param {IconName} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const drawing = document.createElementNS(SVG, 'svg');
  drawing.setAttribute('viewBox', '0 0 24 24');
  drawing.setAttribute('class', 'icon');
  drawing.setAttribute('aria-hidden', 'true');
  for (const outline of OUTLINES[name].split('|')) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('d', outline);
    drawing.append(path);
  }
  return drawing;
}

/**
 * A button of one icon, with its label for screen readers and as a tooltip.
 * @param {IconName} name
 * @param {string} label
 * @param {(event: MouseEvent) => void} onclick
 * @param {Props<'button'>} [props]
 */
export function iconButton(name, label, onclick, props = {}) {
  return h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...props },
    icon(name),
  );
}

/**
 * Call `work` when no call has come for `ms` milliseconds.
 * @template {(...given: any[]) => void} Work
 * @param {Work} work
 * @param {number} ms
 * @returns {Work}
 */
export function settled(work, ms) {
  let timer = 0;
  return /** @type {Work} */ (
    (...given) => {
      clearTimeout(timer);
      timer = setTimeout(() => work(...given), ms);
    }
  );
}
