"""The peers, one file each: how nnspec, PyTorch, JAX, scikit-learn and the notes build and run a workload."""
