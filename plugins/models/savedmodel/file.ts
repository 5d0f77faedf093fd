import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { RobustError, suggestion } from '../../../core/index.ts';
import { guarded, invalid, unsupported } from '../foreign/failure.ts';
import { SavedModelSchema, type MetaGraphDef, type SignatureDef } from './proto/saved_model_pb.ts';

const FILE = 'saved_model.pb';

/** A SavedModel and the signature of it that is used. */
export interface SavedModelFile {
  readonly folder: string;
  readonly meta: MetaGraphDef;
  readonly signature: SignatureDef;
  /** Signatures that compute something. */
  readonly signatures: readonly string[];
  /** Hash of the graph and of the values of its variables. */
  readonly fingerprint: string;
}

/**
 * Reads a SavedModel, given its folder or its `saved_model.pb`.
 *
 * @throws RobustError MODEL_FILE_INVALID, MODEL_UNSUPPORTED, CONFIG_INVALID when there is no such signature
 */
export async function readSavedModel(path: string, wanted: string): Promise<SavedModelFile> {
  return guarded(path, 'The file cannot be read as a SavedModel.', () => {
    const folder = basename(path) === FILE ? dirname(path) : path;
    const file = join(folder, FILE);
    if (!existsSync(file))
      throw invalid('The folder is no SavedModel.', {
        where: folder,
        expected: FILE,
        received: existsSync(folder)
          ? readdirSync(folder).slice(0, 5).join(', ') || 'an empty folder'
          : 'nothing',
        next: 'name the folder that model.export(), model.save() or tf.saved_model.save() wrote',
      });
    const bytes = readFileSync(file);
    const { metaGraphs } = fromBinary(SavedModelSchema, bytes);
    const meta = metaGraphs.find(({ metaInfoDef }) => metaInfoDef?.tags.includes('serve')) ?? metaGraphs[0];
    if (!meta?.graphDef) throw invalid('The SavedModel holds no graph.', { where: file });
    const signatures = Object.keys(meta.signatureDef).filter(
      (name) => Object.keys(meta.signatureDef[name]!.inputs).length > 0,
    );
    if (signatures.length === 0)
      throw unsupported('The SavedModel has no signature, so nothing tells what goes in and comes out.', {
        where: file,
        next: 'give tf.saved_model.save its argument signatures',
      });
    const signature = signatures.includes(wanted) ? meta.signatureDef[wanted]! : undefined;
    if (!signature)
      throw new RobustError('CONFIG_INVALID', {
        ...{ message: `The model has no signature '${wanted}'.`, where: 'signature', received: wanted },
        next: suggestion(wanted, signatures),
      });
    return { folder, meta, signature, signatures, fingerprint: fingerprintOf(bytes, folder) };
  });
}

function fingerprintOf(graph: Uint8Array, folder: string): string {
  const hash = createHash('sha256').update(graph);
  const variables = join(folder, 'variables');
  const files = existsSync(variables) ? readdirSync(variables).sort() : [];
  for (const name of files) hash.update(name).update(readFileSync(join(variables, name)));
  return hash.digest('hex');
}
