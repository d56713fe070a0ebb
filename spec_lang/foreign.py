"""Words of other tools and of slips of the tongue, and what this language calls them: only ever for answers, never accepted."""

WORDS = {
    "conv2d": "conv", "conv1d": "conv", "convolution": "conv", "convolutional": "conv", "convolution2d": "conv",
    "maxpooling2d": "maxpool", "maxpool2d": "maxpool", "maxpooling": "maxpool", "max_pool2d": "maxpool",
    "averagepooling2d": "avgpool", "avgpool2d": "avgpool", "averagepool": "avgpool", "avg_pool2d": "avgpool", "pool": "maxpool",
    "globalaveragepooling2d": "globalavgpool", "globalmaxpooling2d": "globalmaxpool", "gap": "globalavgpool",
    "fc": "dense", "fully_connected": "dense", "connected": "dense", "affine": "dense", "linear_layer": "dense",
    "batchnormalization": "batchnorm", "batchnorm2d": "batchnorm", "batch_norm": "batchnorm", "bn": "batchnorm",
    "layernormalization": "layernorm", "layer_norm": "layernorm", "leakyrelu": "leaky_relu", "leaky": "leaky_relu",
    "swish": "silu", "view": "reshape", "optimiser": "optimizer", "optim": "optimizer", "dataset": "data", "scheduler": "schedule",
    "lr_scheduler": "schedule", "initializer": "init", "fit": "train", "training": "train", "epochs": "train", "epoch": "train",
    "iterations": "train", "batch_size": "train", "lr": "optimizer", "learning_rate": "optimizer", "earlystopping": "early_stop",
    "early_stopping": "early_stop", "metric": "metrics", "model": "network", "net": "network",
    "crossentropy": "cross_entropy", "categorical_crossentropy": "cross_entropy", "sparse_categorical_crossentropy": "cross_entropy",
    "nll": "cross_entropy", "bce": "binary_cross_entropy", "binary_crossentropy": "binary_cross_entropy", "mean_squared_error": "mse",
    "l2": "mse", "l1": "mae", "mean_absolute_error": "mae", "glorot": "xavier", "glorot_normal": "xavier",
    "glorot_uniform": "xavier_uniform", "kaiming": "he", "kaiming_normal": "he", "he_normal": "he", "kaiming_uniform": "he_uniform",
    "xavier_normal": "xavier", "lecun_normal": "lecun", "sgd_momentum": "momentum", "steplr": "step", "cosineannealinglr": "cosine",
    "reducelronplateau": "plateau", "standard": "zscore", "standardize": "zscore", "standardise": "zscore", "min_max": "minmax",
}  # fmt: skip
"""Statements, layers and names, lower case, as other tools spell them."""

OPTIONS = {
    "learning_rate": "lr", "eta": "lr", "alpha": "lr", "rate": "lr", "step_size": "every", "decay": "weight_decay",
    "kernel_initializer": "init", "initializer": "init", "weight_init": "init", "use_bias": "bias", "strides": "stride",
    "padding": "pad", "dilation_rate": "dilation", "momentum": "beta", "rho": "alpha", "epsilon": "eps", "gamma": "factor",
    "batch_size": "batch", "batchsize": "batch", "random_state": "seed", "random_seed": "seed", "clipnorm": "clip_norm",
    "clipvalue": "clip_value", "normalise": "normalize", "normalization": "normalize", "val_split": "split",
    "validation_split": "split", "label": "target", "eval_every": "evaluate_every",
    "min_lr": "floor", "eta_min": "floor", "warmup_steps": "warmup", "negative_slope": "slope",
}  # fmt: skip
"""Options, as other tools spell them; each holds where the word at hand has an option of that name."""

ARGUMENTS = {
    "filters": "the number of filters is written x8", "out_channels": "the number of filters is written x8",
    "channels": "the number of filters is written x8", "kernel_size": "the window is written 3x3", "kernel": "the window is written 3x3",
    "size": "the window is written 3x3", "pool_size": "the window is written as a number, 2", "units": "the number of units is written 10",
    "out_features": "the number of units is written 10", "output": "the number of units is written 10",
    "activation": "an activation is written as a word, relu", "p": "the probability is written 0.5", "rate": "the probability is written 0.5",
    "epochs": "the length is written 5 epochs", "iterations": "the length is written 5000 iterations", "steps": "the length is written 5000 iterations",
    "input_shape": "the shape of a sample is a line of its own: input 28x28x1", "name": "a layer is named before it: first: conv 3x3 x8",
}  # fmt: skip
"""Options of other tools that are bare values here."""
