/** A face as a picture of its own. */
import { cropUrl } from '../api.js';
import { h, icon } from './dom.js';

/**
 * @param {number|null|undefined} faceId nothing but an outline where there is none
 * @param {number} [size] pixels that are asked of the server
 * @param {string} [alt]
 */
export function faceCrop(faceId, size = 192, alt = '') {
  if (faceId === null || faceId === undefined) return h('span', { class: 'crop none' }, icon('face'));
  const holder = h('span', { class: 'crop' });
  /** @type {HTMLImageElement} */
  const picture = h('img', {
    alt,
    loading: 'lazy',
    decoding: 'async',
    draggable: false,
    onload: () => picture.classList.add('shown'),
    onerror: () => holder.replaceChildren(icon('face')),
    src: cropUrl(faceId, size),
  });
  holder.append(picture);
  return holder;
}
