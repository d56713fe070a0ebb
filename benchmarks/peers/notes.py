"""The style of the from-scratch notes: one sample at a time in NumPy, float64, Python loops over pixels and windows."""

import numpy as np

from benchmarks.peers.worker import Steps, Tasks, serve
from benchmarks.workloads import Workload, batches, weights


def softmax_and_loss(z: np.ndarray, label: int) -> tuple[float, np.ndarray]:
    """The cross-entropy of one sample, and its gradient."""
    e = np.exp(z - z.max())
    p = e / e.sum()
    loss = -float(np.log(p.flat[label]))
    p.flat[label] -= 1
    return loss, p


class Dense(Steps):
    """784 → 512 relu → 10 with column vectors, a new array for every intermediate result."""

    def __init__(self, workload: Workload):
        x, self.y = batches(workload)
        self.x = [sample.reshape(-1, 1).astype(float) for sample in x[:, 0]]
        first, self.lr, self.i = weights(workload), workload.option("lr"), 0
        self.w1, self.w2 = (first[f"dense{n}/weight"].T.astype(float) for n in (1, 2))
        self.b1, self.b2 = (first[f"dense{n}/bias"].reshape(-1, 1).astype(float) for n in (1, 2))

    def step(self) -> float:
        """One sample."""
        i, lr = self.i % len(self.x), self.lr
        self.i += 1
        x = self.x[i]
        z1 = self.w1 @ x + self.b1
        a1 = np.maximum(0, z1)
        loss, d_z2 = softmax_and_loss(self.w2 @ a1 + self.b2, self.y[i, 0])
        d_z1 = (self.w2.T @ d_z2) * (z1 > 0)
        self.w2 = self.w2 - lr * (d_z2 @ a1.T)
        self.b2 = self.b2 - lr * d_z2
        self.w1 = self.w1 - lr * (d_z1 @ x.T)
        self.b1 = self.b1 - lr * d_z1
        return loss


class Looping(Steps):
    """conv 3x3 x8 → maxpool 2 → dense 10, a Python loop for each filter, row and column."""

    def __init__(self, workload: Workload):
        x, self.y = batches(workload)
        self.x, self.i = x[:, 0, :, :, 0].astype(float), 0
        first, self.lr, self.beta = weights(workload), workload.option("lr"), workload.option("beta")
        self.kernels = first["conv1/weight"][:, :, 0].transpose(2, 0, 1).astype(float)  # (filter, 3, 3)
        self.weight, self.bias = first["dense1/weight"].astype(float), first["dense1/bias"].astype(float)
        self.velocity = [np.zeros_like(a) for a in (self.kernels, self.weight, self.bias)]

    def step(self) -> float:
        """One sample."""
        i = self.i % len(self.x)
        self.i += 1
        x = self.x[i]
        y = np.zeros((26, 26, 8))
        for f in range(8):
            for row in range(26):
                for column in range(26):
                    y[row, column, f] = np.sum(x[row : row + 3, column : column + 3] * self.kernels[f])
        pooled = np.zeros((13, 13, 8))
        for f in range(8):
            for row in range(13):
                for column in range(13):
                    pooled[row, column, f] = np.max(y[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, f])
        loss, d_z = softmax_and_loss(pooled.reshape(-1) @ self.weight + self.bias, self.y[i, 0])
        d_weight = np.outer(pooled.reshape(-1), d_z)
        d_pooled = (self.weight @ d_z).reshape(pooled.shape)
        d_kernels = self._through_pool_and_window(x, y, d_pooled)
        for n, gradient in enumerate((d_kernels, d_weight, d_z)):
            self.velocity[n] = self.beta * self.velocity[n] + gradient
        self.kernels = self.kernels - self.lr * self.velocity[0]
        self.weight = self.weight - self.lr * self.velocity[1]
        self.bias = self.bias - self.lr * self.velocity[2]
        return loss

    def _through_pool_and_window(self, x: np.ndarray, y: np.ndarray, d_pooled: np.ndarray) -> np.ndarray:
        """The gradient of the kernels: the winner of each window gets its gradient, and each place its window."""
        d_y = np.zeros_like(y)
        for f in range(8):
            for row in range(13):
                for column in range(13):
                    window = y[2 * row : 2 * row + 2, 2 * column : 2 * column + 2, f]
                    down, right = np.unravel_index(np.argmax(window), window.shape)
                    d_y[2 * row + down, 2 * column + right, f] = d_pooled[row, column, f]
        d_kernels = np.zeros_like(self.kernels)
        for f in range(8):
            for row in range(26):
                for column in range(26):
                    d_kernels[f] += d_y[row, column, f] * x[row : row + 3, column : column + 3]
        return d_kernels


def tasks(workload: Workload) -> Tasks:
    """The notes' own two networks, sample by sample."""
    match workload.name:
        case "W1":
            return {"arrays": lambda: Dense(workload)}
        case "W3-1":
            return {"loops": lambda: Looping(workload)}
    return {}


def about() -> dict[str, str]:
    """NumPy, as nnspec has it."""
    return {}


if __name__ == "__main__":
    serve(about, tasks)
