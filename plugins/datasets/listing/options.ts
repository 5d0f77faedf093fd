/** Options of every data set that brings images of any size to one. */
export const sizeOptions = {
  size: {
    description: 'Rows and columns; images are stretched to this square.',
    type: 'integer',
    minimum: 8,
    default: 256,
  },
  scoring: {
    description:
      'Scores at the size that the network sees, or at the native size of the masks, to which predictions are resized.',
    enum: ['resized', 'native'],
    default: 'resized',
  },
} as const;

/** Options of the data sets that people list by file name or in a manifest. */
export const listingOptions = {
  root: { description: 'Folder that patterns and manifest refer to.', type: 'string', minLength: 1 },
  manifest: {
    description:
      'CSV file instead of patterns, with the columns image, mask and, where known, id, group, split, spacing.',
    type: ['string', 'null'],
    default: null,
  },
  testFraction: {
    description:
      'Share of the groups or images that is test where nothing else splits them; 1 makes all test.',
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 1,
    default: 0.25,
  },
  allowPartial: { description: 'Skip images and masks that are alone.', type: 'boolean', default: false },
  ignore: {
    description: 'With `classes`: the mask value of pixels that count neither in training nor in scores.',
    type: ['string', 'integer', 'null'],
    pattern: '^(\\d+|#[0-9a-fA-F]{6})$',
    default: null,
  },
  ...sizeOptions,
} as const;
