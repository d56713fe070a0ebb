"""The features: one file each, found by `nnspec.lsp.feature`."""
