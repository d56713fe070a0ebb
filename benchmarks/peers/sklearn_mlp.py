"""scikit-learn's MLPClassifier, batch by batch through partial_fit; it has dense layers alone."""

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from benchmarks.peers.worker import Steps, Tasks, serve
from benchmarks.workloads import Workload, batches, weights

warnings.filterwarnings("ignore")


class Trained(Steps):
    """Training steps over prepared batches."""

    def __init__(self, workload: Workload):
        x, self.y = batches(workload)
        self.x = x.reshape(*x.shape[:2], -1)
        self.i = 0
        solver = "adam" if workload.optimizer_name == "adam" else "sgd"
        self.model = MLPClassifier(
            [layer.outputs[0] for layer in workload.layers[:-1]],
            solver=solver,
            learning_rate_init=workload.option("lr"),
            alpha=0,
            batch_size=workload.batch,
            momentum=workload.option("beta"),
            nesterovs_momentum=False,
        )
        self.model.partial_fit(self.x[0], self.y[0], classes=np.arange(10))  # makes the arrays that are filled here
        first = weights(workload)
        for layer, weight, bias in zip(workload.layers, self.model.coefs_, self.model.intercepts_, strict=True):
            weight[...], bias[...] = first[f"{layer.name}/weight"], first[f"{layer.name}/bias"]
        if solver == "adam":
            adam = self.model._optimizer  # noqa: SLF001
            adam.t = 0
            for slot in [*adam.ms, *adam.vs]:
                slot[...] = 0

    def step(self) -> float:
        """The next batch."""
        i = self.i % len(self.x)
        self.i += 1
        self.model.partial_fit(self.x[i], self.y[i])
        return float(self.model.loss_)


def tasks(workload: Workload) -> Tasks:
    """Training of dense networks."""
    dense = all(layer.kind == "dense" for layer in workload.layers)
    return {"partial_fit": lambda: Trained(workload)} if workload.kind == "train" and dense else {}


def about() -> dict[str, str]:
    """Which scikit-learn."""
    return {"scikit-learn": sklearn.__version__}


if __name__ == "__main__":
    serve(about, tasks)
