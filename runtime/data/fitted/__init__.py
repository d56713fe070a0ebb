"""What is learnt from the training split and kept with the weights: normalization, ranges, the scaling of targets."""
