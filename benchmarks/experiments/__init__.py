"""Results of training, kept by what the spec says, and docs/experiments.md, which is written of them."""
