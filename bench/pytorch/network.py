"""Any network that robust has saved as model.json, as a torch module with the same weights.

Images and features are [N,C,H,W] here; features without rows and columns keep robust's order of axes.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def load(folder):
    """The network of a folder, in inference mode."""
    stored = json.loads((Path(folder) / "model.json").read_text())
    weights = read_weights(Path(folder), stored["weightsManifest"])
    return Network(stored["modelTopology"]["config"], weights).eval()


def read_weights(folder, manifest):
    weights = {}
    for group in manifest:
        data = np.concatenate([np.fromfile(folder / path, np.float32) for path in group["paths"]])
        at = 0
        for spec in group["weights"]:
            count = math.prod(spec["shape"])
            weights[spec["name"]] = torch.from_numpy(data[at:at + count].reshape(spec["shape"]).copy())
            at += count
    return weights


def needed(layers, output):
    """The layers that one output depends on."""
    wanted = {output}
    for layer in reversed(layers):
        if layer["name"] in wanted and layer["inbound_nodes"]:
            wanted.update(edge[0] for edge in layer["inbound_nodes"][0])
    return [layer for layer in layers if layer["name"] in wanted]


class Network(nn.Module):
    """Runs layers in the order in which they are stored, which is that of their use."""

    def __init__(self, config, weights):
        super().__init__()
        self.plan = []
        self.output = config["output_layers"][0][0]
        for layer in needed(config["layers"], self.output):
            name, kind = layer["name"], layer["class_name"]
            if kind == "InputLayer":
                self.input = name
                continue
            if kind not in LAYERS:
                raise NotImplementedError(f"there is no counterpart of the layer {kind} ({name})")
            own = {key.split("/", 1)[1]: value for key, value in weights.items() if key.split("/", 1)[0] == name}
            self.add_module(name, LAYERS[kind](layer["config"], own))
            self.plan.append((name, [edge[0] for edge in layer["inbound_nodes"][0]]))

    def forward(self, image):
        values = {self.input: image}
        for name, inputs in self.plan:
            values[name] = getattr(self, name)(*[values[key] for key in inputs])
        return values[self.output]


ACTIVATIONS = {"linear": lambda x: x, "relu": F.relu, "elu": F.elu, "sigmoid": torch.sigmoid}


def same_padding(x, reach, strides):
    """What TensorFlow calls SAME: left, right, top, bottom, the smaller half first."""
    total = [max(0, (math.ceil(n / s) - 1) * s + r + 1 - n) for n, s, r in zip(x.shape[2:], strides, reach)]
    return [total[1] // 2, total[1] - total[1] // 2, total[0] // 2, total[0] - total[0] // 2]


class Conv2D(nn.Module):
    def __init__(self, config, weights):
        super().__init__()
        kernel = weights["kernel"].permute(3, 2, 0, 1).contiguous()
        bias = weights.get("bias")
        self.same = config["padding"] == "same"
        self.strides, self.dilation = config["strides"], config["dilation_rate"]
        # PyTorch pads both sides alike; other cases are padded apart.
        reach = [(k - 1) * d for k, d in zip(config["kernel_size"], self.dilation)]
        self.reach = reach
        even = self.same and all(s == 1 for s in self.strides) and all(r % 2 == 0 for r in reach)
        padding = [r // 2 for r in reach] if even else 0
        self.apart = self.same and not even
        self.conv = nn.Conv2d(kernel.shape[1], kernel.shape[0], config["kernel_size"], self.strides, padding,
                              self.dilation, bias=bias is not None)
        with torch.no_grad():
            self.conv.weight.copy_(kernel)
            if bias is not None:
                self.conv.bias.copy_(bias)
        self.activation = ACTIVATIONS[config["activation"]]

    def forward(self, x):
        if self.apart:
            x = F.pad(x, same_padding(x, self.reach, self.strides))
        return self.activation(self.conv(x))


class Conv2DTranspose(nn.Module):
    def __init__(self, config, weights):
        super().__init__()
        self.strides = config["strides"]
        beyond = [max(0, k - s) if config["padding"] == "same" else 0
                  for k, s in zip(config["kernel_size"], self.strides)]
        self.uneven = [total % 2 for total in beyond]
        kernel = weights["kernel"].permute(3, 2, 0, 1).contiguous()
        bias = weights.get("bias")
        self.conv = nn.ConvTranspose2d(kernel.shape[0], kernel.shape[1], config["kernel_size"], self.strides,
                                       [total // 2 for total in beyond], bias=bias is not None)
        with torch.no_grad():
            self.conv.weight.copy_(kernel)
            if bias is not None:
                self.conv.bias.copy_(bias)
        self.activation = ACTIVATIONS[config["activation"]]

    def forward(self, x):
        y = self.conv(x)
        if any(self.uneven):
            y = y[:, :, :y.shape[2] - self.uneven[0], :y.shape[3] - self.uneven[1]]
        return self.activation(y)


class BatchNormalization(nn.Module):
    def __init__(self, config, weights):
        super().__init__()
        self.momentum, self.eps = 1 - config["momentum"], config["epsilon"]
        self.weight, self.bias = nn.Parameter(weights["gamma"]), nn.Parameter(weights["beta"])
        self.register_buffer("mean", weights["moving_mean"])
        self.register_buffer("variance", weights["moving_variance"])

    def forward(self, x):
        rest = (self.mean, self.variance, self.weight, self.bias, self.training, self.momentum, self.eps)
        if x.dim() == 4:
            return F.batch_norm(x, *rest)
        return F.batch_norm(x.transpose(1, -1), *rest).transpose(1, -1)


class Dense(nn.Module):
    def __init__(self, config, weights):
        super().__init__()
        self.kernel = nn.Parameter(weights["kernel"].T.contiguous())
        self.bias = nn.Parameter(weights["bias"]) if "bias" in weights else None
        self.activation = ACTIVATIONS[config["activation"]]

    def forward(self, x):
        return self.activation(F.linear(x, self.kernel, self.bias))


class NonLocalAttention(nn.Module):
    def __init__(self, config, _weights):
        super().__init__()
        self.scaled = config["scaled"]

    def forward(self, theta, phi, g):
        query, key, value = (x.flatten(2).transpose(1, 2) for x in (theta, phi, g))
        scale = query.shape[2] ** -0.5 if self.scaled else 1.0
        y = torch.softmax(query @ key.transpose(1, 2) * scale, -1) @ value
        return y.transpose(1, 2).reshape(theta.shape[0], value.shape[2], *theta.shape[2:])


class Encoding(nn.Module):
    """To [N,C,K], as robust has it."""

    def __init__(self, _config, weights):
        super().__init__()
        self.codewords, self.scale = nn.Parameter(weights["codewords"]), nn.Parameter(weights["scale"])

    def forward(self, x):
        z = x.flatten(2).transpose(1, 2)
        distances = z.square().sum(2, True) - 2 * z @ self.codewords.T + self.codewords.square().sum(1)
        assigned = torch.softmax(distances * self.scale, 2)
        return z.transpose(1, 2) @ assigned - self.codewords.T * assigned.sum(1, True)


class Function(nn.Module):
    """A layer without weights."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def max_pool(config, _weights):
    size, strides = config["pool_size"], config["strides"]
    if config["padding"] == "valid":
        return nn.MaxPool2d(size, strides)
    reach = [k - 1 for k in size]
    pool = lambda x, padding: F.max_pool2d(F.pad(x, padding, value=-math.inf) if any(padding) else x, size, strides)
    return Function(lambda x: pool(x, same_padding(x, reach, strides)))


def zero_padding(config, _weights):
    (top, bottom), (left, right) = config["padding"]
    return Function(lambda x: F.pad(x, [left, right, top, bottom]))


def up_sampling(config, _weights):
    if config["interpolation"] != "nearest":
        raise NotImplementedError("upsampling that is not nearest")
    return nn.Upsample(scale_factor=tuple(float(n) for n in config["size"]), mode="nearest")


def resize(config, _weights):
    size, corners = config["size"], config["align_corners"]
    return Function(lambda x: F.interpolate(x, tuple(size), mode="bilinear", align_corners=corners))


def stage_link(config, _weights):
    """The foreground channels; what is detached in training does not matter here, where one output is trained."""
    return Function(lambda x: (torch.softmax(x, 1) if config["probabilities"] else x)[:, 1:])


class GaussianDropout(nn.Module):
    def __init__(self, config, _weights):
        super().__init__()
        self.deviation = math.sqrt(config["rate"] / (1 - config["rate"]))

    def forward(self, x):
        return x * (1 + self.deviation * torch.randn_like(x)) if self.training else x


def rescaling(config, _weights):
    scale, offset = config["scale"], config["offset"]
    return Function(lambda x: x * scale if offset == 0 else x * scale + offset)


def reshape(config, _weights):
    target = config["target_shape"]
    if len(target) != 3:
        return Function(lambda x: x.reshape(x.shape[0], *target))
    return Function(lambda x: x.reshape(x.shape[0], *target).permute(0, 3, 1, 2))


LAYERS = {
    "Conv2D": Conv2D,
    "Conv2DTranspose": Conv2DTranspose,
    "BatchNormalization": BatchNormalization,
    "Dense": Dense,
    "NonLocalAttention": NonLocalAttention,
    "Encoding": Encoding,
    "MaxPooling2D": max_pool,
    "Rescaling": rescaling,
    "ZeroPadding2D": zero_padding,
    "UpSampling2D": up_sampling,
    "BilinearResize": resize,
    "AdaptiveAverage": lambda config, _: nn.AdaptiveAvgPool2d(config["bins"]),
    "GaussianDropout": GaussianDropout,
    "StageLink": stage_link,
    "Reshape": reshape,
    "ReLU": lambda *_: nn.ReLU(),
    "Activation": lambda config, _: Function(ACTIVATIONS[config["activation"]]),
    "Dropout": lambda config, _: nn.Dropout(config["rate"]),
    "Concatenate": lambda *_: Function(lambda *xs: torch.cat(xs, 1)),
    "Add": lambda *_: Function(lambda a, *rest: sum(rest, a)),
    "Multiply": lambda *_: Function(torch.mul),
    "Permute": lambda config, _: Function(lambda x: x.permute(0, *config["dims"])),
    "GlobalAveragePooling1D": lambda *_: Function(lambda x: x.mean(1)),
}
