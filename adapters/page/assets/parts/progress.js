/** The slim line under the bar that says what is being indexed, and how far it is. */
import { isRunning, watchJobs } from '../live.js';
import { fill, h } from './dom.js';
import { figure, timeLeft } from './words.js';

/** @type {Record<string, string>} */
const DOING = {
  scan: 'indexing',
  detect: 'recognising faces',
  'detect.again': 'looking at all photos again: the face model changed',
  thumbnails: 'making thumbnails',
  rebuild: 'rebuilding the read tables',
};

/** @import { JobRow } from '../../shapes' */

/** What a job is doing, in words. @param {JobRow} job */
export const doingOf = (job) => DOING[job.kind] ?? job.title;

/** How much there is to do, where that is known and still true: work may grow while it is done. @param {JobRow} job */
export const totalOf = (job) => (job.total && job.total >= job.done ? job.total : null);

/**
 * "indexing 120 of 340 · 14 photos/s · 16 s left".
 * @param {JobRow} job
 */
export function progressText(job) {
  const total = totalOf(job);
  const amount = total ? ` ${figure(job.done)} of ${figure(total)}` : job.done ? ` ${figure(job.done)}` : ' …';
  const rate = job.rate
    ? ` · ${figure(job.rate < 10 ? Math.round(job.rate * 10) / 10 : Math.round(job.rate))} photos/s`
    : '';
  const waiting = job.state === 'waiting' && job.note ? ` · waiting: ${job.note}` : '';
  const left = job.seconds_left === null || waiting ? '' : ` · ${timeLeft(job.seconds_left)}`;
  return doingOf(job) + amount + rate + left + waiting;
}

export function progressLine() {
  const text = h('p', { class: 'progress-text' });
  const done = h('div', { class: 'progress-done' });
  const element = h(
    'div',
    { class: 'progress', role: 'status', 'aria-live': 'off', hidden: true },
    h('div', { class: 'progress-track' }, done),
    text,
  );
  /** @type {(() => void)|null} */
  let end = null;
  /** @param {JobRow[]} jobs */
  const show = (jobs) => {
    const running = jobs.filter(isRunning);
    const [first] = running;
    element.hidden = !first;
    if (!first) return;
    fill(text, running.map(progressText).join('   ·   '));
    const total = totalOf(first);
    done.classList.toggle('unknown', !total);
    done.style.setProperty('transform', total ? `scaleX(${first.done / total})` : '');
  };
  return {
    element,
    /** @param {boolean} wanted */
    watch(wanted) {
      if (wanted) end ??= watchJobs(show);
      else {
        end?.();
        end = null;
      }
    },
  };
}
