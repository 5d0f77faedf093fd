// The arithmetic of winograd_conv2d.cc, which includes this file once per instruction set with
//   NAME    the namespace it goes into,
//   TARGET  the attribute that lets the compiler use the instructions,
//   LANES   floats in a vector,
//   ROWS    tiles whose sums over 2 vectors of channels fit into the registers.

#define INLINE TARGET __attribute__((always_inline)) static inline

namespace NAME {

// Aligned like a float, because channels begin anywhere.
typedef float Vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE Vector Load(const float *from) { return *reinterpret_cast<const Vector *>(from); }
INLINE void Store(float *to, Vector value) { *reinterpret_cast<Vector *>(to) = value; }

// B', G and A' for the points 0, 1, -1, 1/2, -2 and infinity, whose rounding error is two thirds of that of the usual
// 0, 1, -1, 2, -2. Each transforms one line of elements `step` apart.

INLINE void TransformInput(const Vector *d, int step, Vector *to) {
  const Vector d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
  to[0] = d0 - 1.5f * d1 - 2.f * d2 + 1.5f * d3 + d4;
  to[1] = d4 + 2.5f * d3 + 0.5f * d2 - d1;
  to[2] = d4 + 0.5f * d3 - 2.5f * d2 + d1;
  to[3] = d4 - d2 + 2.f * (d3 - d1);
  to[4] = d4 - d2 + 0.5f * (d1 - d3);
  to[5] = d5 + 1.5f * (d4 - d2) - 2.f * d3 + d1;
}

INLINE void TransformKernel(const Vector *k, int step, Vector *to) {
  const Vector k0 = k[0], k1 = k[step], k2 = k[2 * step];
  to[0] = k0;
  to[1] = (k0 + k1 + k2) / 3.f;
  to[2] = (k1 - k0 - k2) / 3.f;
  to[3] = (-16.f * k0 - 8.f * k1 - 4.f * k2) / 15.f;
  to[4] = (k0 - 2.f * k1 + 4.f * k2) / 15.f;
  to[5] = k2;
}

INLINE void TransformOutput(const Vector *m, int step, Vector *to) {
  const Vector m0 = m[0], m1 = m[step], m2 = m[2 * step], m3 = m[3 * step], m4 = m[4 * step], m5 = m[5 * step];
  const Vector plus = m1 + m2, minus = m1 - m2;
  to[0] = m0 + plus + m3 + m4;
  to[1] = minus + 0.5f * m3 - 2.f * m4;
  to[2] = plus + 0.25f * m3 + 4.f * m4;
  to[3] = minus + 0.125f * m3 - 8.f * m4 + m5;
}

// The kernel [3,3,from,to] for input channels `begin` to `end`: [36][panels of output channels][from][channels of the
// panel], which is the order in which Multiply reads it.
TARGET static void PackKernel(const float *kernel, int from, int to, int begin, int end, float *packed) {
  for (int c = begin; c < end; ++c) {
    for (int k = 0; k < to; k += LANES) {
      Vector taps[9], half[18], line[6];
      for (int i = 0; i < 9; ++i) taps[i] = Load(kernel + (static_cast<long>(i) * from + c) * to + k);
      for (int j = 0; j < 3; ++j) TransformKernel(taps + 3 * j, 1, half + 6 * j);
      const int panel = k / (2 * LANES) * (2 * LANES);
      const int width = to - panel < 2 * LANES ? to - panel : 2 * LANES;
      float *target = packed + static_cast<long>(panel) * from + static_cast<long>(c) * width + (k - panel);
      for (int j = 0; j < 6; ++j) {
        TransformKernel(half + j, 6, line);
        for (int i = 0; i < 6; ++i) Store(target + (6 * i + j) * static_cast<long>(from) * to, line[i]);
      }
    }
  }
}

// R tiles, `stride` apart, of `depth` channels, times a panel [depth][V vectors].
template <int R, int V>
TARGET static void Multiply(const float *tiles, int stride, const float *panel, int depth, float *to, int toStride) {
  Vector sums[R][V] = {};
  for (int c = 0; c < depth; ++c) {
    Vector factors[V];
    for (int v = 0; v < V; ++v) factors[v] = Load(panel + v * LANES);
    panel += V * LANES;
    for (int r = 0; r < R; ++r) {
      const float tile = tiles[r * stride + c];
      for (int v = 0; v < V; ++v) sums[r][v] += tile * factors[v];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) Store(to + r * toStride + v * LANES, sums[r][v]);
  }
}

typedef void (*Product)(const float *, int, const float *, int, float *, int);

template <int R, int V>
static Product ProductOf(int rows) {
  if constexpr (R == 1) {
    return Multiply<1, V>;
  } else {
    return rows >= R ? Multiply<R, V> : ProductOf<R - 1, V>(rows);
  }
}

// B' d B of the tiles: [36][tiles][channels].
TARGET static void LoadTiles(const Convolution &job, int first, int count, float *data) {
  const int stride = Padded(job.from);
  const long plane = static_cast<long>(job.block) * stride;
  int channel = 0;
  for (const Input &input : job.inputs) {
    for (int t = 0; t < count; ++t) {
      const float *source[36];
      job.FindTile(input, first + t, source);
      float *target = data + static_cast<long>(t) * stride + channel;
      for (int c = 0; c < input.channels; c += LANES) {
        Vector tile[36], half[36], line[6];
        for (int i = 0; i < 36; ++i) tile[i] = Load(source[i] + c);
        for (int j = 0; j < 6; ++j) TransformInput(tile + j, 6, half + 6 * j);
        for (int i = 0; i < 6; ++i) {
          TransformInput(half + i, 6, line);
          for (int j = 0; j < 6; ++j) Store(target + (6 * i + j) * plane + c, line[j]);
        }
      }
    }
    channel += input.channels;
  }
}

// A' m A of the tiles, for output channels `begin` to `end`, and what follows a convolution.
TARGET static void StoreTiles(const Convolution &job, int first, int count, const float *products, int begin, int end) {
  const int stride = Padded(job.columns);
  const long plane = static_cast<long>(job.block) * stride;
  const Vector none = {};
  for (int t = 0; t < count; ++t) {
    const Place place = job.PlaceOf(first + t);
    for (int k = begin; k < end; k += LANES) {
      const float *source = products + static_cast<long>(t) * stride + (k - begin);
      Vector tile[36], half[24], line[4];
      for (int i = 0; i < 36; ++i) tile[i] = Load(source + i * plane);
      for (int j = 0; j < 6; ++j) TransformOutput(tile + j, 6, half + 4 * j);
      const Vector bias = job.bias ? Load(job.bias + k) : none;
      for (int i = 0; i < place.rows; ++i) {
        TransformOutput(half + i, 4, line);
        for (int j = 0; j < place.columns; ++j) {
          const long at = (place.pixel + static_cast<long>(i) * job.outWidth + j) * job.to + k;
          Vector value = line[j] + bias;
          // Not max(value, 0): that would turn NaN into a number.
          if (job.relu) value = value < 0.f ? none : value;
          if (job.gate) value = Load(job.gate + at) > 0.f ? value : none;
          Store(job.y + at, value);
        }
      }
    }
  }
}

TARGET static void Convolve(const Convolution &job, int first, int count, float *scratch) {
  const int stride = Padded(job.from), outStride = Padded(job.columns);
  float *data = scratch;
  float *products = scratch + 36L * job.block * stride;
  LoadTiles(job, first, count, data);
  for (int begin = 0; begin < job.to; begin += job.columns) {
    const int end = begin + job.columns < job.to ? begin + job.columns : job.to;
    for (int p = 0; p < 36; ++p) {
      for (int k = begin; k < end; k += 2 * LANES) {
        const float *panel = job.kernel + (static_cast<long>(p) * job.to + k) * job.from;
        for (int t = 0; t < count; t += ROWS) {
          const long row = static_cast<long>(p) * job.block + t;
          const Product product = end - k > LANES ? ProductOf<ROWS, 2>(count - t) : ProductOf<ROWS, 1>(count - t);
          product(data + row * stride, stride, panel, job.from, products + row * outStride + (k - begin), outStride);
        }
      }
    }
    StoreTiles(job, first, count, products, begin, end);
  }
}

constexpr Arithmetic arithmetic = {PackKernel, Convolve};

}  // namespace NAME

#undef INLINE
#undef NAME
#undef TARGET
#undef LANES
#undef ROWS
