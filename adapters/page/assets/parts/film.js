/**
 * A video in the browser's own player: the file itself where the browser knows its codec, else as HLS where it plays
 * that by itself, else in words.
 */
import { ask, pictureUrl, urlOf } from '../api.js';
import { h } from './dom.js';
import { complain } from './toast.js';

/** @import { Located } from '../api.js' */

const HLS = 'application/vnd.apple.mpegurl';
/**
 * Codecs by ffmpeg's names as a browser is asked about them, in their most common profile.
 * @type {Record<string, string>}
 */
const CODECS = {
  h264: 'video/mp4; codecs="avc1.640028"',
  hevc: 'video/mp4; codecs="hvc1.1.6.L93.B0"',
  av1: 'video/mp4; codecs="av01.0.04M.08"',
  vp9: 'video/webm; codecs="vp9"',
  vp8: 'video/webm; codecs="vp8"',
};

/**
 * @param {Located & { video_codec?: string|null }} photo
 * @param {() => void} unplayable called where nothing helps
 * @returns {HTMLVideoElement}
 */
export function filmOf(photo, unplayable) {
  const place = { path: photo.path, library: photo.library_id };
  const film = h('video', {
    class: 'large film shown',
    controls: true,
    playsInline: true,
    preload: 'metadata',
    poster: pictureUrl(photo, 'preview'),
  });
  const asHls = async () => {
    if (!film.canPlayType(HLS) || film.dataset.hls) return unplayable();
    film.dataset.hls = 'true';
    try {
      const { body } = await ask('POST', 'video/generate', { body: place });
      if (film.isConnected) film.src = urlOf(body.playlist.slice(1));
    } catch (problem) {
      complain(problem);
      unplayable();
    }
  };
  film.addEventListener('error', () => film.isConnected && asHls());
  film.addEventListener('loadedmetadata', () => !film.videoWidth && asHls());
  const known = CODECS[photo.video_codec ?? ''];
  if (known === undefined ? !photo.video_codec : film.canPlayType(known)) film.src = urlOf('video/stream', place);
  else queueMicrotask(asHls);
  return film;
}

/** Play or pause. @param {HTMLVideoElement} film */
export const playOrPause = (film) => (film.paused ? film.play().catch(() => {}) : film.pause());
