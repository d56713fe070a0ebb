"""The network of specs/quickstart.nnspec in FastAPI with PyTorch, as `nnspec serve` has it in FastAPI with NumPy.

    python -m benchmarks.peers.serving_torch WEIGHTS.npz PORT

It computes each request where it is read, on one thread, without limits, checks or batches: the least that such a
server can be. It reads and answers the same bodies, JSON and .npy, on the same uvicorn.
"""

import io
import json
import sys

import numpy as np
import torch
import uvicorn
from fastapi import FastAPI, Request, Response
from torch import nn


def network(weights: dict[str, np.ndarray]) -> nn.Module:
    """The trained network, from normalized images (batch, 1, 28, 28) to probabilities."""
    convolution, dense = nn.Conv2d(1, 8, 3), nn.Linear(13 * 13 * 8, 10)
    by_channel = weights["dense1/weight"].reshape(13, 13, 8, 10).transpose(3, 2, 0, 1).reshape(10, -1)
    with torch.no_grad():
        convolution.weight.copy_(torch.from_numpy(weights["conv1/weight"].transpose(3, 2, 0, 1).copy()))
        convolution.bias.copy_(torch.from_numpy(weights["conv1/bias"]))
        dense.weight.copy_(torch.from_numpy(by_channel.copy()))
        dense.bias.copy_(torch.from_numpy(weights["dense1/bias"]))
    return nn.Sequential(convolution, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), dense, nn.Softmax(-1)).eval()


def make_app(weights: dict[str, np.ndarray]) -> FastAPI:
    """The server."""
    model, app = network(weights), FastAPI()
    shift, scale = float(weights["shift"]), float(weights["scale"])

    def probabilities(samples: torch.Tensor) -> np.ndarray:
        with torch.inference_mode():
            answers: np.ndarray = model((samples.reshape(-1, 1, 28, 28).float() - shift) / scale).numpy()
        return answers

    @app.post("/predict", response_class=Response)
    async def predict(request: Request) -> Response:
        if request.headers["content-type"] == "application/json":
            found = probabilities(torch.tensor((await request.json())["samples"]))
            return _json(found)
        content = io.BytesIO()
        np.save(content, probabilities(torch.from_numpy(np.load(io.BytesIO(await request.body()), allow_pickle=False))))
        return Response(content.getvalue(), media_type="application/x-npy")

    return app


def _json(found: np.ndarray) -> Response:

    labels = found.argmax(axis=-1)
    predictions = [
        {"label": str(label), "probabilities": row.tolist()} for label, row in zip(labels, found, strict=True)
    ]
    return Response(json.dumps({"predictions": predictions}), media_type="application/json")


def main() -> None:
    """Serve until a signal."""
    torch.set_num_threads(1)
    with np.load(sys.argv[1]) as archive:
        app = make_app(dict(archive))
    uvicorn.run(app, port=int(sys.argv[2]), http="httptools", loop="uvloop", log_level="critical", access_log=False)


if __name__ == "__main__":
    main()
