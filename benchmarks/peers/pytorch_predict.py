"""A process that predicts the class of one picture with PyTorch: the job of `nnspec predict`, written for this network.

python -m benchmarks.peers.pytorch_predict WEIGHTS             writes weights as they are before training
python -m benchmarks.peers.pytorch_predict WEIGHTS PICTURE     loads them and prints the most probable class
"""

import sys

import numpy as np
import torch
from PIL import Image
from torch import nn


def main() -> None:
    """Write weights, or predict with them."""
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 13 * 13, 10))
    weights, *pictures = sys.argv[1:]
    if not pictures:
        torch.save(network.state_dict(), weights)
        return
    network.load_state_dict(torch.load(weights, weights_only=True))
    pixels = np.asarray(Image.open(pictures[0]).convert("L"), np.float32) / 255
    with torch.inference_mode():
        probabilities = torch.softmax(network(torch.from_numpy(pixels)[None, None]), 1)[0]
    print(int(probabilities.argmax()), float(probabilities.max()))


if __name__ == "__main__":
    main()
