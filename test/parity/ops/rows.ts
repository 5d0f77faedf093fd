import { algebraRows } from './algebra.ts';
import { movementRows } from './movement.ts';
import type { Row } from './row.ts';
import { spatialRows } from './spatial.ts';

/** Every operator that the bundled networks, attacks and losses use. To add one is to add a row. */
export const rows: readonly Row[] = [...spatialRows, ...algebraRows, ...movementRows];
