// RobustWinogradConv2D: a convolution of stride 1 with a constant 3x3 kernel, with a quarter of the multiplications.
// F(4x4, 3x3) of Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, CVPR 2016:
//   y = A' [(G k G') . (B' d B)] A over tiles d of 6x6 pixels that overlap by 2.
// Everything that happens to a few tiles happens while they lie in the cache, which TensorFlow's own operators, each of which
// writes its whole result, cannot do. A tile's value depends neither on the others nor on the number of threads.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tensorflow/c/kernels.h"
#include "tensorflow/c/ops.h"

namespace {

// Rows of tiles lie a cache line apart from what would be a power of two, so that they do not displace each other.
int Padded(int channels) { return channels + 16; }

struct Input {
  const float *data;
  int channels;
};

// Where the results of a tile go; at the edge of the image fewer than 4x4 of them.
struct Place {
  long pixel;
  int rows, columns;
};

struct Convolution {
  // Joined along the channels, [n,height,width,channels] each.
  std::vector<Input> inputs;
  const float *kernel;  // packed
  const float *bias;    // [to] or null
  const float *gate;    // like y, or null: where it is not positive y becomes 0
  float *y;             // [n,outHeight,outWidth,to]
  bool relu;
  int n, height, width, from, to, outHeight, outWidth, top, left;
  int block;    // tiles that are computed at a time
  int columns;  // output channels whose products are kept at a time
  std::vector<float> zeros;

  int Down() const { return (outHeight + 3) / 4; }
  int Across() const { return (outWidth + 3) / 4; }
  int Tiles() const { return n * Down() * Across(); }

  void FindTile(const Input &input, int tile, const float **source) const {
    const int image = tile / (Down() * Across()), down = tile / Across() % Down(), across = tile % Across();
    for (int i = 0; i < 6; ++i) {
      const int row = 4 * down + i - top;
      const bool inside = row >= 0 && row < height;
      const float *line = input.data + (static_cast<long>(image) * height + row) * width * input.channels;
      for (int j = 0; j < 6; ++j) {
        const int column = 4 * across + j - left;
        const bool exists = inside && column >= 0 && column < width;
        source[6 * i + j] = exists ? line + static_cast<long>(column) * input.channels : zeros.data();
      }
    }
  }

  Place PlaceOf(int tile) const {
    const int image = tile / (Down() * Across()), row = 4 * (tile / Across() % Down()), column = 4 * (tile % Across());
    const long pixel = (static_cast<long>(image) * outHeight + row) * outWidth + column;
    return {pixel, std::min(4, outHeight - row), std::min(4, outWidth - column)};
  }
};

struct Arithmetic {
  void (*pack)(const float *kernel, int from, int to, int begin, int end, float *packed);
  void (*convolve)(const Convolution &, int first, int count, float *scratch);
};

#define NAME portable
#define TARGET
#define LANES 4
#define ROWS 6
#include "winograd.h"

#if defined(__x86_64__)
#define NAME avx2
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define ROWS 6
#include "winograd.h"

#define NAME avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma")))
#define LANES 16
#define ROWS 14
#include "winograd.h"
#endif

// The widest vectors that the processor has and that oneDNN's own limit allows: one setting for both.
Arithmetic BestArithmetic() {
#if defined(__x86_64__)
  const char *given = std::getenv("ONEDNN_MAX_CPU_ISA");
  const std::string limit = given ? given : "DEFAULT";
  const auto allows = [&](const char *prefix) { return limit.rfind(prefix, 0) == 0; };
  const bool wide = allows("AVX512") || allows("AVX10") || allows("DEFAULT");
  __builtin_cpu_init();
  if (!(wide || allows("AVX2")) || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    return portable::arithmetic;
  }
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq");
  return wide && avx512 ? avx512::arithmetic : avx2::arithmetic;
#else
  return portable::arithmetic;
#endif
}

// Runs `work(part)` for parts 0 to `count` on so many threads, the calling one among them. Threads that the system refuses are
// done without.
template <typename Work>
void Share(int count, int threads, const Work &work) {
  std::atomic<int> next(0);
  const auto run = [&](int thread) {
    for (int part = next++; part < count; part = next++) work(part, thread);
  };
  std::vector<std::thread> others;
  try {
    for (int thread = 1; thread < std::min(threads, count); ++thread) others.emplace_back(run, thread);
  } catch (const std::system_error &) {
  }
  run(0);
  for (std::thread &other : others) other.join();
}

// Memory that operators take turns in using: fresh memory would have to be cleared by the system first.
class Scratch {
 public:
  explicit Scratch(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!free_.empty()) {
      block_ = std::move(free_.back());
      free_.pop_back();
    }
    if (block_.size < size) block_ = {size, Memory(static_cast<float *>(::operator new(4 * size, kLine)))};
  }
  ~Scratch() {
    const std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(std::move(block_));
  }
  float *data() const { return block_.memory.get(); }

 private:
  static constexpr std::align_val_t kLine{64};
  struct Free {
    void operator()(float *memory) const { ::operator delete(memory, kLine); }
  };
  using Memory = std::unique_ptr<float, Free>;
  struct Block {
    size_t size = 0;
    Memory memory;
  };
  static inline std::mutex mutex_;
  static inline std::vector<Block> free_;
  Block block_;
};

// Waking a thread takes as long as so many multiplications of a direct convolution.
constexpr double kWorkPerThread = 2e7;
// Tiles whose data and products lie in a core's own cache together; a multiple of ROWS.
constexpr int kBlock = 42;
// A thread with fewer tiles would read the whole kernel for little.
constexpr int kFewest = 14;
constexpr int kColumns = 64;

class WinogradConv2D {
 public:
  explicit WinogradConv2D(TF_OpKernelConstruction *context) {
    TF_Status *status = TF_NewStatus();
    TF_OpKernelConstruction_GetAttrInt32List(context, "zeros", zeros_, 4, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt32(context, "joined", &joined_, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt32(context, "biases", &biases_, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt32(context, "gates", &gates_, status);
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrInt32(context, "threads", &threads_, status);
    unsigned char relu = 0;
    if (TF_GetCode(status) == TF_OK) TF_OpKernelConstruction_GetAttrBool(context, "relu", &relu, status);
    relu_ = relu != 0;
    if (TF_GetCode(status) != TF_OK) TF_OpKernelConstruction_Failure(context, status);
    TF_DeleteStatus(status);
  }

  void Compute(TF_OpKernelContext *context) {
    Tensors tensors(context);
    const int count = 2 + joined_ + biases_ + gates_;
    for (int i = 0; i < count; ++i) {
      if (!tensors.Take(i)) return;
    }
    const TF_Tensor *kernel = tensors[1];
    Convolution job = Describe(tensors);
    if (job.from != TF_Dim(kernel, 2) || TF_Dim(kernel, 0) != 3 || TF_Dim(kernel, 1) != 3 || job.from % 16 != 0 ||
        job.to % 16 != 0 || job.outHeight < 1 || job.outWidth < 1) {
      return tensors.Fail(
          "RobustWinogradConv2D: the kernel has to be [3,3,from,to], both multiples of 16, and fit the image");
    }
    const int64_t shape[] = {job.n, job.outHeight, job.outWidth, job.to};
    job.y = tensors.Allocate(shape);
    if (job.y == nullptr) return;
    const double work = 9.0 * job.n * job.outHeight * job.outWidth * job.from * job.to;
    const int threads = std::clamp(static_cast<int>(work / kWorkPerThread), 1, std::max(1, threads_));
    std::call_once(packed_once_, [&] { Pack(static_cast<const float *>(TF_TensorData(kernel)), job, threads); });
    job.kernel = packed_.get();
    Run(job, threads);
  }

 private:
  // The inputs and the output of one run, freed behind it; what fails is told to TensorFlow.
  class Tensors {
   public:
    explicit Tensors(TF_OpKernelContext *context) : context_(context), status_(TF_NewStatus()) {}
    ~Tensors() {
      for (TF_Tensor *tensor : held_) TF_DeleteTensor(tensor);
      TF_DeleteStatus(status_);
    }
    bool Take(int index) {
      TF_Tensor *tensor = nullptr;
      TF_GetInput(context_, index, &tensor, status_);
      return Hold(tensor);
    }
    float *Allocate(const int64_t (&shape)[4]) {
      const size_t bytes = sizeof(float) * shape[0] * shape[1] * shape[2] * shape[3];
      TF_Tensor *tensor = TF_AllocateOutput(context_, 0, TF_FLOAT, shape, 4, bytes, status_);
      return Hold(tensor) ? static_cast<float *>(TF_TensorData(tensor)) : nullptr;
    }
    void Fail(const char *message) {
      TF_SetStatus(status_, TF_INVALID_ARGUMENT, message);
      TF_OpKernelContext_Failure(context_, status_);
    }
    const TF_Tensor *operator[](int index) const { return held_[index]; }
    const float *Data(int index) const { return static_cast<const float *>(TF_TensorData(held_[index])); }

   private:
    bool Hold(TF_Tensor *tensor) {
      if (tensor != nullptr) held_.push_back(tensor);
      if (TF_GetCode(status_) == TF_OK) return true;
      TF_OpKernelContext_Failure(context_, status_);
      return false;
    }
    TF_OpKernelContext *context_;
    TF_Status *status_;
    std::vector<TF_Tensor *> held_;
  };

  Convolution Describe(const Tensors &tensors) const {
    Convolution job = {};
    const auto add = [&](int index) {
      const int channels = TF_Dim(tensors[index], 3);
      job.inputs.push_back({tensors.Data(index), channels});
      job.from += channels;
    };
    add(0);
    for (int i = 0; i < joined_; ++i) add(2 + i);
    const int bias = 2 + joined_, gate = bias + biases_;
    job.bias = biases_ > 0 ? tensors.Data(bias) : nullptr;
    job.gate = gates_ > 0 ? tensors.Data(gate) : nullptr;
    job.relu = relu_;
    job.n = TF_Dim(tensors[0], 0);
    job.height = TF_Dim(tensors[0], 1);
    job.width = TF_Dim(tensors[0], 2);
    job.to = TF_Dim(tensors[1], 3);
    job.top = zeros_[0];
    job.left = zeros_[2];
    job.outHeight = job.height + zeros_[0] + zeros_[1] - 2;
    job.outWidth = job.width + zeros_[2] + zeros_[3] - 2;
    job.zeros.assign(job.from, 0.f);
    return job;
  }

  void Pack(const float *kernel, const Convolution &job, int threads) {
    packed_.reset(new float[36L * job.from * job.to]);
    constexpr int step = 8;
    Share((job.from + step - 1) / step, threads, [&](int part, int) {
      arithmetic_.pack(kernel, job.from, job.to, part * step, std::min(job.from, (part + 1) * step), packed_.get());
    });
  }

  void Run(Convolution &job, int threads) const {
    const int tiles = job.Tiles();
    threads = std::min(threads, (tiles + kFewest - 1) / kFewest);
    job.block = std::min(kBlock, (tiles + threads - 1) / threads);
    job.columns = std::min(kColumns, job.to);
    const size_t size = 36L * job.block * (Padded(job.from) + Padded(job.columns));
    const Scratch scratch(size * threads);
    Share((tiles + job.block - 1) / job.block, threads, [&](int part, int thread) {
      const int first = part * job.block;
      arithmetic_.convolve(job, first, std::min(job.block, tiles - first), scratch.data() + size * thread);
    });
  }

  const Arithmetic arithmetic_ = BestArithmetic();
  int32_t zeros_[4] = {};  // top, bottom, left, right
  int32_t joined_ = 0, biases_ = 0, gates_ = 0, threads_ = 1;
  bool relu_ = false;
  std::once_flag packed_once_;
  std::unique_ptr<float[]> packed_;
};

void *Create(TF_OpKernelConstruction *context) { return new WinogradConv2D(context); }
void Delete(void *kernel) { delete static_cast<WinogradConv2D *>(kernel); }
void Compute(void *kernel, TF_OpKernelContext *context) {
  try {
    static_cast<WinogradConv2D *>(kernel)->Compute(context);
  } catch (const std::bad_alloc &) {
    TF_Status *status = TF_NewStatus();
    TF_SetStatus(status, TF_RESOURCE_EXHAUSTED, "OOM when allocating memory for RobustWinogradConv2D");
    TF_OpKernelContext_Failure(context, status);
    TF_DeleteStatus(status);
  }
}

void Register() {
  constexpr const char *name = "RobustWinogradConv2D";
  TF_Status *status = TF_NewStatus();
  TF_OpDefinitionBuilder *op = TF_NewOpDefinitionBuilder(name);
  for (const char *input : {"x: float", "kernel: float", "others: joined * float", "bias: biases * float",
                            "gate: gates * float"}) {
    TF_OpDefinitionBuilderAddInput(op, input);
  }
  TF_OpDefinitionBuilderAddOutput(op, "y: float");
  for (const char *attribute : {"zeros: list(int)", "joined: int >= 0 = 0", "biases: int >= 0 = 0",
                                "gates: int >= 0 = 0", "relu: bool = false", "threads: int = 1"}) {
    TF_OpDefinitionBuilderAddAttr(op, attribute);
  }
  TF_OpDefinitionBuilderSetShapeInferenceFunction(op, TF_ShapeInferenceContextSetUnknownShape);
  TF_RegisterOpDefinition(op, status);
  if (TF_GetCode(status) == TF_OK) {
    TF_RegisterKernelBuilder(name, TF_NewKernelBuilder(name, "CPU", Create, Compute, Delete), status);
  }
  TF_DeleteStatus(status);
}

const bool registered = (Register(), true);

}  // namespace
