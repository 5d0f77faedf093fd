import { RobustError } from '../../../core/index.ts';

/** The error for a file that is no volume. */
export function unreadable(where: string, received: string, cause?: unknown, next?: string): RobustError {
  return new RobustError('IMAGE_UNREADABLE', {
    message: 'The file cannot be read as a volume.',
    where,
    expected: 'a whole NIfTI, NRRD, MetaImage or DICOM file with one number a voxel and at most three axes',
    received,
    next: next ?? 'open the file in a viewer such as 3D Slicer; if it is damaged, fetch or export it again',
    cause,
  });
}
