import type { Context, InspectRequest, ModelDescription } from '../../../core/index.ts';
import type { ForeignModel } from './model.ts';
import type { Notes } from './notes.ts';
import type { ForeignOptions } from './options.ts';
import { prepare } from './segmenter.ts';

/** How a network would be used, on images of the size that it asks for, else of the one that is given: what was decided. */
export function assumed(
  model: ForeignModel,
  request: InspectRequest,
  options: ForeignOptions,
  ctx: Context,
  notes: Notes,
): Required<Pick<ModelDescription, 'image' | 'logits' | 'suggestion' | 'notes'>> {
  const { height, width, channels } = model.input;
  const image = {
    height: height ?? request.height ?? 256,
    width: width ?? request.width ?? 256,
    channels: channels ?? request.channels ?? 3,
    domain: request.domain,
  };
  const prepared = prepare(model, image, request.classes?.length ?? 2, options, ctx, notes);
  return {
    image: [image.height, image.width, image.channels],
    logits: [image.height, image.width, prepared.channels],
    suggestion: Object.fromEntries(
      notes.flatMap(({ option, value }) => (option === undefined ? [] : [[option, value]])),
    ),
    notes: notes.map(({ text }) => text),
  };
}
