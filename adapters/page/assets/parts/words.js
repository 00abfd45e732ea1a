/**
 * How figures, dates and names are said. Dates of photos are the camera's wall clock and are never moved to another
 * zone.
 */

/** @import { Companion } from '../../shapes' */

const number = new Intl.NumberFormat();
const month = new Intl.DateTimeFormat(undefined, { month: 'long', year: 'numeric', timeZone: 'UTC' });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', timeZone: 'UTC' });
const dayAndMonth = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' });
const longDay = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  timeZone: 'UTC',
});
const wholeDay = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
const here = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** Formats of pictures that are no RAW, as the server names them. */
const PICTURES = new Set(['jpeg', 'png', 'webp', 'gif', 'bmp', 'tiff', 'heic', 'avif', 'jp2', 'jxl']);

/** @param {number} value */
export const figure = (value) => number.format(value);

/**
 * "1 photo", "1,204 photos".
 * @param {number} value
 * @param {string} one
 * @param {string} [many]
 */
export const count = (value, one, many = `${one}s`) => `${number.format(value)} ${value === 1 ? one : many}`;

/**
 * "40 s left", "3 min left", "2 h 10 min left".
 * @param {number} seconds
 */
export function timeLeft(seconds) {
  if (seconds < 60) return `${Math.round(seconds)} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min left`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

/**
 * The wall clock of a photo as a UTC date that shows the same digits.
 * @param {string|null|undefined} takenAt RFC 3339, with or without an offset
 * @returns {Date|null}
 */
export function wallClock(takenAt) {
  const digits = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)/.exec(takenAt ?? '');
  return digits ? new Date(`${digits[1]}T${digits[2]}Z`) : null;
}

/**
 * The months from one photo to an older one: "May 2024", "March – May 2024".
 * @param {string|null|undefined} newest @param {string|null|undefined} oldest
 */
export function monthsOf(newest, oldest) {
  const [until, from] = [wallClock(newest), wallClock(oldest)];
  return from && until ? month.formatRange(from, until) : 'No date';
}

/**
 * "Sun 12", or "12 May" where the heading names several months.
 * @param {string|null|undefined} takenAt @param {boolean} withMonth
 */
export function dayOf(takenAt, withMonth) {
  const date = wallClock(takenAt);
  return date ? (withMonth ? dayAndMonth : weekday).format(date) : '';
}

/** "Sun, 12 May 2024". @param {string|null|undefined} takenAt */
export function longDayOf(takenAt) {
  const date = wallClock(takenAt);
  return date ? longDay.format(date) : 'No date';
}

/** "14:03". @param {string|null|undefined} takenAt */
export function clockOf(takenAt) {
  const date = wallClock(takenAt);
  return date ? clock.format(date) : '';
}

/** "2012", "May 2012", "31 May 2012". @param {string} day ISO 8601: a day, a month or a year */
export function dayOfFact(day) {
  if (day.length === 4) return day;
  return (day.length === 7 ? month : wholeDay).format(new Date(`${day}-01`.slice(0, 10)));
}

/** "since May 2012", "until 2020", "2012 – 2020". @param {string|null} since @param {string|null} until */
export function spanOf(since, until) {
  if (since && until) return since === until ? dayOfFact(since) : `${dayOfFact(since)} – ${dayOfFact(until)}`;
  return since ? `since ${dayOfFact(since)}` : until ? `until ${dayOfFact(until)}` : '';
}

/** A moment on the server, in this browser's zone. @param {string} at RFC 3339 */
export const moment = (at) => here.format(new Date(at));

/** "5 minutes ago", and the date where it is longer than a week ago. @param {string} at RFC 3339 */
export function ago(at) {
  const seconds = (new Date(at).getTime() - Date.now()) / 1000;
  const away = Math.abs(seconds);
  if (away < 60) return 'just now';
  if (away < 3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (away < 86400) return relative.format(Math.round(seconds / 3600), 'hour');
  if (away < 604800) return relative.format(Math.round(seconds / 86400), 'day');
  return moment(at);
}

/** "1:05" of minutes and seconds, "1:02:03" of hours too. @param {number|null|undefined} seconds */
export function lengthOf(seconds) {
  if (!seconds) return '';
  const whole = Math.max(1, Math.round(seconds));
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, '0');
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** "3.4 MB". @param {number} bytes */
export function fileSize(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const power = Math.min(3, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${value.toFixed(value < 10 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB'][power]}`;
}

/** "RAW", "Live" or "Photo", as people call what lies beside a photo. @param {Companion} companion */
export const companionName = ({ kind, format }) =>
  kind === 'video' ? 'Live' : PICTURES.has(format ?? '') ? 'Photo' : 'RAW';

/** "Burst of 5 · RAW · Live" of what stands behind a photo, or is in its file.
 * @param {{format: string|null, motion?: boolean, companions?: Companion[]}} photo */
export function companionMark({ format, motion, companions = [] }) {
  const names = companions.map(companionName);
  const others = names.filter((name) => name === 'Photo').length;
  const burst = others && PICTURES.has(format ?? '') && `Burst of ${others + 1}`;
  return [burst, names.includes('RAW') && 'RAW', (motion || names.includes('Live')) && 'Live']
    .filter(Boolean)
    .join(' · ');
}

/**
 * Runs of rows that have the same name, as of a day.
 * @template Row
 * @param {Row[]} rows
 * @param {(row: Row) => string} nameOf
 */
export function grouped(rows, nameOf) {
  /** @type {Array<[name: string, rows: Row[]]>} */
  const groups = [];
  for (const row of rows) {
    const name = nameOf(row);
    const last = groups.at(-1);
    if (last?.[0] === name) last[1].push(row);
    else groups.push([name, [row]]);
  }
  return groups;
}

/** The last part of a path. @param {string} path */
export const fileName = (path) => path.slice(path.lastIndexOf('/') + 1);

/** All but the last part of a path. @param {string} path */
export const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf('/')));
