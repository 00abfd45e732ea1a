/** Where tiles go: rows of one height each that fill the width, whatever the shapes of the photos. Pure arithmetic. */

/** Widest and tallest shape that is honoured; a panorama beyond it is cut by its tile, not by its neighbours. */
const TALLEST = 0.5;
const WIDEST = 2.8;
const UNKNOWN = 4 / 3;

/** @typedef {{ width: number|null, height: number|null }} Sized */
/**
 * @template T
 * @typedef {{ photo: T, left: number, width: number, opensDay?: boolean }} Tile
 */
/**
 * @template T
 * @typedef {{ top: number, height: number, tiles: Array<Tile<T>> }} Row
 */

/** Width over height. @param {Sized} photo */
const shapeOf = ({ width, height }) =>
  width && height ? Math.min(WIDEST, Math.max(TALLEST, width / height)) : UNKNOWN;

/**
 * Lay photos out in rows.
 * @template {Sized} T
 * @param {T[]} photos
 * @param {number} width of the whole in pixels
 * @param {number} target height of a row
 * @param {number} gap between tiles and rows
 * @returns {{ rows: Array<Row<T>>, height: number }}
 */
export function justified(photos, width, target, gap) {
  /** @type {Array<Row<T>>} */
  const rows = [];
  let top = 0;
  /** @param {T[]} row @param {number} shapes @param {boolean} full */
  const close = (row, shapes, full) => {
    const room = width - gap * (row.length - 1);
    const height = full ? room / shapes : Math.min(target, room / shapes);
    let left = 0;
    const tiles = row.map((photo) => {
      const tile = { photo, left, width: shapeOf(photo) * height };
      left += tile.width + gap;
      return tile;
    });
    rows.push({ top, height, tiles });
    top += height + gap;
  };
  /** @type {T[]} */
  let row = [];
  let shapes = 0;
  for (const photo of photos) {
    const shape = shapeOf(photo);
    const heightWith = (width - gap * row.length) / (shapes + shape);
    if (row.length && heightWith < target) {
      const heightWithout = (width - gap * (row.length - 1)) / shapes;
      if (target - heightWith > heightWithout - target) {
        close(row, shapes, true);
        [row, shapes] = [[], 0];
      }
    }
    row.push(photo);
    shapes += shape;
    if ((width - gap * (row.length - 1)) / shapes <= target) {
      close(row, shapes, true);
      [row, shapes] = [[], 0];
    }
  }
  if (row.length) close(row, shapes, false);
  return { rows, height: Math.max(0, top - gap) };
}
