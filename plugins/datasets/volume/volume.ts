import { realpath } from 'node:fs/promises';
import { RobustError, type ErrorCode } from '../../../core/index.ts';
import { dicomVoxels, openDicom } from './dicom.ts';
import type { Geometry } from './geometry.ts';
import { ITK_ENDINGS } from './header.ts';
import { itkGeometry, itkVoxels } from './itk.ts';

/** A volume whose header is read, and its voxels not yet. */
export interface Volume {
  readonly path: string;
  readonly geometry: Geometry;
  readonly window: readonly [low: number, high: number] | null;
  readonly patient: string | null;
  /** In the order of the file, in rescaled units. */
  voxels(): Promise<ArrayLike<number>>;
}

/**
 * Opens a NIfTI, NRRD or MetaImage file by its ending; every other file, and a folder, is DICOM.
 *
 * @throws RobustError IMAGE_UNREADABLE, IMAGE_TOO_LARGE, and `missing` where nothing is there.
 */
export async function openVolume(path: string, missing: ErrorCode): Promise<Volume> {
  // ITK sees the folder of a file and nothing else, so it cannot follow a link.
  const file = await realpath(path).catch((cause: unknown) => {
    throw new RobustError(missing, {
      message: missing === 'MASK_MISSING' ? 'The mask does not exist.' : 'The volume does not exist.',
      where: path,
      expected: 'a NIfTI, NRRD, MetaImage or DICOM file, or a folder of DICOM files',
      received: 'no such file',
      next: 'check the path, and the patterns or the manifest of the data set',
      cause,
    });
  });
  const ending = ITK_ENDINGS.findLast((each) => path.toLowerCase().endsWith(each));
  if (ending === undefined) {
    const dicom = await openDicom(path);
    return { ...dicom, path, voxels: () => dicomVoxels(dicom) };
  }
  const geometry = await itkGeometry(file, ending);
  return { path, geometry, window: null, patient: null, voxels: () => itkVoxels(file, ending) };
}
