"""The arithmetic against PyTorch's, in float64."""
