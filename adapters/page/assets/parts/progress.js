/** The slim line under the bar that says what is being indexed, and how far it is. */
import { isRunning, watchJobs } from '../live.js';
import { fill, h } from './dom.js';
import { figure } from './words.js';

/** @type {Object<string, string>} */
const DOING = {
  scan: 'indexing',
  detect: 'recognising faces',
  thumbnails: 'making thumbnails',
  rebuild: 'rebuilding the read tables',
};

/** What a job is doing, in words. @param {import('../live.js').Job} job */
export const doingOf = (job) => DOING[job.kind] ?? job.title;

/**
 * "indexing 120 of 340 · 14 photos/s".
 * @param {import('../live.js').Job} job
 */
export function progressText(job) {
  const amount = job.total ? ` ${figure(job.done)} of ${figure(job.total)}` : job.done ? ` ${figure(job.done)}` : ' …';
  const rate = job.rate ? ` · ${figure(job.rate < 10 ? Math.round(job.rate * 10) / 10 : Math.round(job.rate))} photos/s` : '';
  const waiting = job.state === 'waiting' && job.note ? ` · waiting: ${job.note}` : '';
  return doingOf(job) + amount + rate + waiting;
}

export function progressLine() {
  const text = h('p', { class: 'progress-text' });
  const done = h('div', { class: 'progress-done' });
  const element = h('div', { class: 'progress', role: 'status', 'aria-live': 'off', hidden: true }, h('div', { class: 'progress-track' }, done), text);
  let end = null;
  const show = (jobs) => {
    const running = jobs.filter(isRunning);
    element.hidden = running.length === 0;
    if (!running.length) return;
    fill(text, running.map(progressText).join('   ·   '));
    const [first] = running;
    done.classList.toggle('unknown', !first.total);
    done.style.setProperty('transform', first.total ? `scaleX(${Math.min(1, first.done / first.total)})` : '');
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
