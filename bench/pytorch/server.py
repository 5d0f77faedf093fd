"""Measures PyTorch as bench/worker.ts measures robust: one line of JSON in, one out.

    python bench/pytorch/server.py THREADS
"""
import json
import platform
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import network

SECONDS = 0.3  # Calls shorter than this are repeated.
WEIGHT_DECAY, LEARNING_RATE, ALPHA = 1e-4, 1e-4, 1.0

torch.set_num_threads(int(sys.argv[1]))
FORMATS = {"eager": torch.contiguous_format, "channels_last": torch.channels_last}


class Subject:
    """A network with one batch, in one memory layout. Weights are frozen except while training."""

    def __init__(self, case, layout):
        self.case, self.format = case, FORMATS[layout]
        self.model = network.load(case["dir"]).to(memory_format=self.format)
        shape = (-1, case["side"], case["side"])
        images = np.fromfile(f"{case['dir']}/images.f32", np.float32).reshape(shape)
        self.images = torch.from_numpy(images)[:, None]
        self.masks = torch.from_numpy(np.fromfile(f"{case['dir']}/masks.i32", np.int32).reshape(shape)).long()
        self.x, self.truth = self.batch(0)
        self.goal = 1 - self.truth
        self.optimizer = None
        self.freeze()

    def batch(self, first):
        chosen = slice(first, first + self.case["batch"])
        return self.images[chosen].contiguous(memory_format=self.format), self.masks[chosen]

    def freeze(self, frozen=True):
        self.model.train(not frozen)
        for weight in self.model.parameters():
            weight.requires_grad_(not frozen)

    def logits(self, x):
        """One sigmoid logit z counts as the two logits (0, z)."""
        y = self.model(x)
        return y if y.shape[1] > 1 else torch.cat([torch.zeros_like(y), y], 1)

    def gradient(self, x=None, goal=None):
        x = (self.x if x is None else x).detach().requires_grad_()
        loss = F.cross_entropy(self.logits(x), self.goal if goal is None else goal, reduction="sum")
        return torch.autograd.grad(loss, x)[0]

    def training(self):
        if self.optimizer is None:
            self.freeze(False)
            self.optimizer = torch.optim.Adam(self.model.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.logits(self.x), self.truth)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def measure(subject, what):
    if what == "training":
        call = subject.training
    else:
        subject.freeze()
        subject.optimizer = None
        call = (lambda: subject.gradient()) if what == "gradient" else (lambda: forward(subject))
    # The first calls choose kernels and fill caches.
    for _ in range(2):
        result = call()
    started, calls, seconds = time.perf_counter(), 0, 0.0
    while seconds < SECONDS:
        result = call()
        calls, seconds = calls + 1, time.perf_counter() - started
    value = result if what == "training" else result.abs().sum(dtype=torch.float64).item()
    return {"seconds": seconds / calls, "value": value}


def forward(subject):
    with torch.no_grad():
        return subject.model(subject.x)


def steps(eps):
    return int(np.ceil(min(eps + 4, 1.25 * eps)))


class Sweep:
    """Targeted iterative FGSM at all intensities, with a prediction and its Dice for each."""

    def __init__(self, subject):
        self.subject, self.gradients, self.gradient_seconds, self.scores = subject, 0, 0.0, []

    def step(self, x, goal):
        started = time.perf_counter()
        gradient = self.subject.gradient(x, goal)
        self.gradient_seconds += time.perf_counter() - started
        self.gradients += 1
        return (x - ALPHA * gradient.sign()).clamp(0, 255)

    @staticmethod
    def project(x, clean, eps):
        return torch.minimum(torch.maximum(x, clean - eps), clean + eps)

    def score(self, x, truth):
        with torch.no_grad():
            predicted = self.subject.logits(x).argmax(1).numpy()
        for one, mask in zip(predicted, truth.numpy()):
            total = one.sum() + mask.sum()
            self.scores.append(2 * (one & mask).sum() / total if total else 1.0)

    def plain(self, clean, truth, intensities):
        self.score(clean, truth)
        for eps in intensities:
            x = clean
            for _ in range(steps(eps)):
                x = self.project(self.step(x, 1 - truth), clean, eps)
            self.score(x, truth)

    def shared(self, clean, truth, intensities):
        self.score(clean, truth)
        trunk, walked = clean, 0
        for eps in intensities:
            common = min(steps(eps), int(eps / ALPHA) + 1)
            while walked < common:
                trunk, walked = self.step(trunk, 1 - truth), walked + 1
            x = self.project(trunk, clean, eps)
            for _ in range(steps(eps) - common):
                x = self.project(self.step(x, 1 - truth), clean, eps)
            self.score(x, truth)


def sweep(subject, loop, intensities):
    subject.freeze()
    subject.optimizer = None
    subject.gradient()
    run = Sweep(subject)
    started = time.perf_counter()
    for first in range(0, subject.case["images"], subject.case["batch"]):
        getattr(run, loop)(*subject.batch(first), intensities)
    batches = subject.case["images"] // subject.case["batch"]
    return {
        "seconds": time.perf_counter() - started,
        "gradients": run.gradients / batches,
        "gradientSeconds": run.gradient_seconds,
        "value": float(np.mean(run.scores)),
    }


subjects = {}


def subject_of(case, layout):
    key = (case["dir"], layout)
    if key not in subjects:
        for old in [k for k in subjects if k[0] != case["dir"]]:
            del subjects[old]
        subjects[key] = Subject(case, layout)
    return subjects[key]


def answer(request):
    if request["do"] == "info":
        return {"python": platform.python_version(), "version": torch.__version__, "threads": torch.get_num_threads()}
    subject = subject_of(request["case"], request["layout"])
    if request["do"] == "sweep":
        return sweep(subject, request["loop"], request["eps"])
    return measure(subject, request["what"])


for line in sys.stdin:
    try:
        reply = answer(json.loads(line))
    except Exception as error:  # The other side says what failed and goes on without.
        reply = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(reply), flush=True)
