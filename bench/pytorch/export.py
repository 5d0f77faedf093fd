"""Exports the network of a folder, as robust has saved it, for images of any number: writes FOLDER/model.onnx.

    python bench/pytorch/export.py FOLDER SIDE
"""
import sys
import warnings

import torch

import network

warnings.filterwarnings("ignore")
folder, side = sys.argv[1], int(sys.argv[2])
torch.onnx.export(
    network.load(folder), (torch.zeros(1, 1, side, side),), f"{folder}/model.onnx",
    dynamo=False, input_names=["image"], output_names=["logits"], dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
)
