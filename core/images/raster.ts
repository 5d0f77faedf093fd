/** What the header of an image file says; height and width after its EXIF orientation is applied. */
export interface ImageHeader {
  readonly height: number;
  readonly width: number;
  readonly format: string;
  /** Bits per sample after decoding: files with fewer than 8 are decoded to 8. */
  readonly bits: 8 | 16;
}

/** Decoded samples, row-major `[height, width, 3]`, as the file has them: 0..`white`. */
export interface Raster {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array | Uint16Array;
  readonly white: 255 | 65535;
}
