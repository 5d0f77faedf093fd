import { availableParallelism } from 'node:os';
import { reachable, type Graph, type Node } from './graph.ts';
import type { Binding } from './native.ts';
import { shapeOf } from './rewrite.ts';

/** The file beside a graph that says how its session runs. */
export const CONFIG_FILE = 'session_config';

/**
 * Included before the sources of tfjs-node's binding, which loads every graph with default options: lets a file beside
 * the graph hold a `ConfigProto`. TensorFlow shares one pool of threads between all sessions unless a flag says
 * otherwise, and that flag is not part of its C interface; where a build does not export it, the pool stays shared.
 */
export const SESSION_HEADER = `#pragma once
#include <fstream>
#include <iterator>
#include <string>
#include "tensorflow/c/c_api.h"

namespace tensorflow {
struct LocalDevice {
  static bool use_global_threadpool_ __attribute__((weak));
};
}  // namespace tensorflow

inline TF_Session *LoadConfiguredSession(const TF_SessionOptions *given, const TF_Buffer *run_options,
                                         const char *folder, const char *const *tags, int tag_count,
                                         TF_Graph *graph, TF_Buffer *meta_graph, TF_Status *status) {
  std::ifstream file(std::string(folder) + "/${CONFIG_FILE}", std::ios::binary);
  if (!file) {
    return TF_LoadSessionFromSavedModel(given, run_options, folder, tags, tag_count, graph, meta_graph, status);
  }
  const std::string config((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  TF_SessionOptions *options = TF_NewSessionOptions();
  TF_SetConfig(options, config.data(), config.size(), status);
  bool *shared = &tensorflow::LocalDevice::use_global_threadpool_;
  if (shared) *shared = false;
  TF_Session *session =
      TF_LoadSessionFromSavedModel(options, run_options, folder, tags, tag_count, graph, meta_graph, status);
  if (shared) *shared = true;
  TF_DeleteSessionOptions(options);
  return session;
}
#define TF_LoadSessionFromSavedModel LoadConfiguredSession
`;

/** Threads inside one operator, as TensorFlow counts them when it is loaded. */
export function intraOpThreads(): number {
  return Number(process.env['TF_NUM_INTRAOP_THREADS']) || availableParallelism();
}

/** Convolutions of fewer multiplications than this on average are faster on one thread: waking others costs more. */
const MIN_MULTIPLICATIONS = 4e6;

/** Bytes of a `ConfigProto`: `graph_options { rewrite_options { disable_meta_optimizer: true } }`. */
const AS_IT_IS = [0x52, 5, 0x52, 3, 0x98, 0x01, 0x01];
/** `intra_op_parallelism_threads: 1`. */
const ONE_THREAD = [0x10, 1];

/**
 * How the session of a graph runs on a CPU: as it is where it is rewritten, because TensorFlow's own optimizer would take
 * seconds to find nothing, and on one thread where its operators are too small for more. The graph alone decides, so
 * that two runs compute the same bits. On a GPU TensorFlow's optimizer chooses memory layouts: undefined.
 */
export function sessionConfig(graph: Graph, binding: Binding, rewritten: boolean): Uint8Array | undefined {
  if (binding.isUsingGpuDevice()) return undefined;
  const work = reachable(graph).map(multiplications).filter(Boolean);
  const mean = work.reduce((a, b) => a + b, 0) / work.length;
  const threads = mean < MIN_MULTIPLICATIONS ? ONE_THREAD : [];
  return Uint8Array.from([...threads, ...(rewritten ? AS_IT_IS : [])]);
}

/** Of a convolution or one of its gradients: pixels of the forward pass's result times elements of the kernel. */
function multiplications(node: Node): number {
  const { op, inputs } = node;
  if (!/Conv2D/.test(op)) return 0;
  const itself = { node, index: 0 };
  const result = op.includes('Backprop') ? inputs[2]! : itself;
  const kernel = op === 'Conv2DBackpropFilter' ? itself : inputs[1]!;
  return [...shapeOf(result).slice(0, 3), ...shapeOf(kernel)].reduce((a, b) => a * b, 1);
}
