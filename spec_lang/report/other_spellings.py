"""Words of other tools and what this language calls them. They only serve help texts; none is accepted in a spec."""

from collections.abc import Container


def _spellings(table: dict[str, str]) -> dict[str, tuple[str, ...]]:
    every: dict[str, tuple[str, ...]] = {}
    for name, spellings in table.items():
        for spelling in spellings.split():
            every[spelling] = (*every.get(spelling, ()), name)
    return every


WORDS = _spellings(
    {
        # layers
        "conv": "conv2d conv1d conv3d convolution convolution2d convolutional cnn",
        "maxpool": "maxpool2d maxpool1d max_pool max_pool2d max_pool1d maxpooling maxpooling2d maxpooling1d pool "
        "pooling",
        "avgpool": "avgpool2d avgpool1d avg_pool avg_pool2d avg_pool1d averagepool averagepooling averagepooling2d "
        "averagepooling1d average_pool meanpool",
        "globalavgpool": "globalaveragepooling globalaveragepooling2d globalaveragepooling1d global_avg_pool "
        "global_average_pooling gap",
        "globalmaxpool": "globalmaxpooling globalmaxpooling2d globalmaxpooling1d global_max_pool adaptivemaxpool2d",
        "dense": "fc fully_connected fullyconnected connected affine linear_layer lin mlp",
        "transposed": "conv2dtranspose conv1dtranspose convtranspose convtranspose1d convtranspose2d conv_transpose "
        "conv_transpose2d conv2d_transpose transposed_conv transposedconv transpose_conv deconv deconv2d deconvolution "
        "deconvolution2d upconv",
        "upsample": "upsampling upsampling1d upsampling2d upsamplingnearest2d upsamplingbilinear2d up_sampling2d "
        "interpolate resize upscale unpool",
        "pad": "zeropadding1d zeropadding2d zero_padding2d zeropad2d zeropad1d zero_pad padding reflectionpad2d "
        "reflectionpad1d replicationpad2d replicationpad1d constantpad2d",
        "crop": "cropping cropping1d cropping2d centercrop center_crop cropped",
        "permute": "transpose swapaxes moveaxis",
        "depthwise": "depthwiseconv2d depthwiseconv1d depthwiseconv depthwise_conv depthwise_conv2d "
        "depthwiseconvolution dwconv dw_conv",
        "separable": "separableconv2d separableconv1d separableconv separable_conv separable_conv2d sepconv "
        "depthwiseseparableconv",
        "groupnorm": "groupnormalization group_norm group_normalization gn",
        "instancenorm": "instancenormalization instance_norm instance_normalization instancenorm1d instancenorm2d",
        "prelu": "parametric_relu p_relu",
        "batchnorm": "batchnormalization batchnorm1d batchnorm2d batch_norm batch_normalization bn",
        "layernorm": "layernormalization layer_norm layer_normalization ln",
        "reshape": "view unflatten",
        "flatten": "flat ravel",
        "dropout": "drop dropout2d",
        "leaky_relu": "leakyrelu leaky lrelu",
        "attention": "multiheadattention multi_head_attention multiheadedattention self_attention selfattention mha "
        "scaled_dot_product_attention attn transformer transformerencoderlayer",
        "positions": "positionalencoding positional_encoding positionembedding position_embedding positionalembedding "
        "positional_embedding posenc pos_embed position",
        "silu": "swish",
        "skip": "identity shortcut residual",
        # statements
        "network": "model net name",
        "input": "inputs input_shape inputlayer in_shape",
        "data": "dataset datasets source",
        "init": "initializer initialiser initialization weights weight_init kernel_initializer",
        "loss": "criterion objective cost",
        "optimizer": "optimiser optim opt lr learning_rate learningrate momentum weight_decay",
        "schedule": "scheduler lr_scheduler lr_schedule",
        "train": "fit training epochs epoch iterations iteration steps batch batch_size batchsize seed",
        "from": "init_from pretrained load_weights load_state_dict load_model checkpoint_path restore weights_from "
        "warm_start fine_tune finetune from_pretrained",
        "freeze": "frozen requires_grad requires_grad_ trainable untrainable freeze_layers lock unfreeze",
        "rate": "lr_mult lr_multiplier learning_rate_multiplier layer_lr param_groups rates",
        "ema": "modelema modelemav2 modelemav3 model_ema exponentialmovingaverage exponential_moving_average "
        "averagedmodel use_ema swa stochastic_weight_averaging moving_average polyak",
        "early_stop": "earlystop earlystopping early_stopping patience",
        "metrics": "metric measure",
        "augment": "augmentation augmentations augmenting transform transforms random_affine",
        "let": "var const def set",
        "include": "import",
        # names of losses, initializers, schedules and the like
        "cross_entropy": "crossentropy crossentropyloss categorical_crossentropy sparse_categorical_crossentropy nll "
        "categoricalcrossentropy sparsecategoricalcrossentropy nllloss log_loss",
        "binary_cross_entropy": "bce bceloss bcewithlogitsloss binary_crossentropy binarycrossentropy",
        "focal": "focal_loss focalloss categorical_focal_crossentropy categoricalfocalcrossentropy",
        "binary_focal": "sigmoid_focal_loss binary_focal_crossentropy binaryfocalcrossentropy",
        "hinge": "hinge_loss hingeloss categorical_hinge categoricalhinge multi_margin_loss multimarginloss svm",
        "binary_hinge": "squared_hinge squaredhinge soft_margin_loss softmarginloss",
        "kl": "kl_divergence kldivergence kl_div kldiv kldivloss kld kullback_leibler kullback_leibler_divergence",
        "quantile": "pinball pinball_loss pinballloss quantile_loss quantileloss mean_pinball_loss",
        "mse": "mean_squared_error meansquarederror mseloss l2 l2loss squared_error",
        "mae": "mean_absolute_error meanabsoluteerror l1 l1loss absolute_error",
        "huber": "huberloss huber_loss smooth_l1 smoothl1loss",
        "xavier": "glorot glorot_normal xavier_normal",
        "xavier_uniform": "glorot_uniform",
        "he": "kaiming kaiming_normal he_normal",
        "he_uniform": "kaiming_uniform",
        "lecun": "lecun_normal",
        "zeros": "zero",
        "momentum": "sgd_momentum sgdm",
        "sgd": "gradient_descent stochastic_gradient_descent",
        "step": "steplr step_lr steps",
        "exponential": "exponentiallr exp exponential_decay",
        "milestones": "multisteplr multi_step_lr multistep multi_step piecewiseconstantdecay piecewise_constant",
        "cosine": "cosineannealinglr cosine_annealing cosine_decay cosinedecay cosine_schedule",
        "cosine_restarts": "cosineannealingwarmrestarts cosine_annealing_warm_restarts cosinedecayrestarts "
        "cosine_decay_restarts cosine_with_restarts warm_restarts restarts sgdr",
        "linear": "linearlr linear_lr linear_decay polynomialdecay polynomiallr",
        "one_cycle": "onecyclelr one_cycle_lr onecycle onecycle_lr 1cycle one_cycle_policy super_convergence",
        "plateau": "reducelronplateau reduce_lr_on_plateau reduce_on_plateau",
        "constant": "none fixed",
        "zscore": "standard standardize standardise standardization z_score",
        "minmax": "min_max minmax_scale",
        "accuracy": "acc accuracy_score categorical_accuracy categoricalaccuracy sparse_categorical_accuracy "
        "sparsecategoricalaccuracy binary_accuracy binaryaccuracy",
        "balanced_accuracy": "balanced_accuracy_score bacc",
        "precision": "precision_score positive_predictive_value ppv",
        "recall": "recall_score sensitivity true_positive_rate tpr",
        "iou": "jaccard jaccard_index jaccard_score mean_iou meaniou intersection_over_union miou",
        "f1": "f1_score f1score fscore f_score f_measure",
        "auc": "roc_auc roc_auc_score auroc rocauc roc area_under_curve",
        "top3": "top_3",
        "top5": "top_5",
        "topk": "top_k top_k_accuracy top_k_accuracy_score top_k_categorical_accuracy topkcategoricalaccuracy "
        "sparse_top_k_categorical_accuracy sparsetopkcategoricalaccuracy topkaccuracy",
        "mape": "mean_absolute_percentage_error meanabsolutepercentageerror",
        "rmse": "root_mean_squared_error rootmeansquarederror",
        "r2": "r2_score r2score r_squared rsquared",
        "epochs": "epoch",
        "iterations": "iteration iters steps",
    }
)
"""Layers, statements and names by their spelling elsewhere, in lower case."""

LAYERS_WITH_ARGUMENTS = {"linear": "dense", "output": "dense", "hidden": "dense", "norm": "batchnorm"}
"""Words that mean another layer if arguments follow, as in `Linear(784, 10)`."""

OPTIONS = _spellings(
    {
        "lr": "learning_rate learningrate eta rate step_size",
        "weight_decay": "decay wd l2_penalty",
        "beta": "momentum mu",
        "decay": "momentum beta",
        "alpha": "rho smoothing",
        "eps": "epsilon",
        "beta1": "beta_1",
        "beta2": "beta_2",
        "every": "update_every ema_overwrite_frequency step_size decay_steps period t_0 first_decay_steps",
        "mult": "t_mult t_mul",
        "at": "milestones boundaries epochs steps q quantiles quantile tau taus",
        "over": "total_iters decay_steps",
        "pct_start": "warmup_share warmup_ratio",
        "div_factor": "initial_div_factor div",
        "final_div_factor": "final_div",
        "anneal": "anneal_strategy",
        "floor": "min_lr eta_min",
        "warmup": "warmup_steps warmup_epochs",
        "init": "kernel_initializer initializer weight_init",
        "smoothing": "label_smoothing labelsmoothing label_smooth smooth",
        "average": "averaging",
        "bias": "use_bias",
        "stride": "strides",
        "pad": "padding pads",
        "dilation": "dilation_rate dilations",
        "ceil_mode": "ceil",
        "count_include_pad": "include_pad count_padding",
        "slope": "negative_slope alpha",
        "l1": "l1_penalty",
        "l2": "l2_penalty kernel_regularizer",
        "batch": "batch_size batchsize bs minibatch",
        "accumulate": "gradient_accumulation_steps gradient_accumulation accumulate_grad_batches accumulation_steps "
        "grad_accum accum_steps iter_size",
        "seed": "random_state random_seed",
        "clip_norm": "clipnorm max_norm max_grad_norm",
        "clip_value": "clipvalue",
        "evaluate_every": "eval_every validate_every",
        "checkpoint_every": "save_every",
        "normalize": "normalise normalization scale",
        "split": "val_split validation_split val_size test_size",
        "target": "label labels_column y_column y class class_column",
        "separator": "sep delimiter",
        "shift": "translate translation random_shift width_shift_range height_shift_range",
        "rotate": "rotation rotation_range random_rotation degrees angle",
        "zoom": "zoom_range random_zoom scale",
        "flip": "mirror hflip horizontal_flip random_flip random_horizontal_flip",
        "noise": "gaussian_noise jitter",
        "cutout": "random_erasing erase erasing",
        "fill": "fill_mode padding_mode",
        "mode": "interpolation padding_mode upsample_mode",
        "output_pad": "output_padding",
        "multiplier": "depth_multiplier channel_multiplier",
        "learned": "affine",
        # values without a name
        "filters": "out_channels channels",
        "window": "kernel_size kernel size pool_size k",
        "units": "out_features output outputs neurons hidden_size",
        "layers": "num_layers n_layers depth",
        "heads": "num_heads n_heads nhead n_head",
        "dim": "embed_dim d_model model_dim qkv_dim",
        "causal": "is_causal use_causal_mask causal_mask autoregressive mask",
        "vectors": "kind type mode",
        "as": "tied tied_to tie share shared share_weights weights_from weights_of reuse",
        "recurrent_dropout": "variational_dropout state_dropout hidden_dropout",
        "factor": "gamma decay_rate drop scale_factor scale size upsampling_factor",
        "cells": "padding cropping pads",
        "order": "dims axes perm",
        "groups": "num_groups",
        "activation": "act nonlinearity",
        "probability": "p rate",
        "path": "file filename",
        "shape": "input_shape",
    }
)
"""Options by their spelling elsewhere; of several candidates the one that the word has is meant."""

LENGTHS = {
    "epochs": "epochs",
    "epoch": "epochs",
    "iterations": "iterations",
    "steps": "iterations",
    "max_epochs": "epochs",
}
"""Options of other tools for the length of training, with its unit here."""

VALUES = {
    "causal": "write the zeros before and after the steps, as in pad=4x0 for a window of 5",
}
"""Values of options that are written in another way here."""

ELSEWHERE = {
    "input_shape": "the shape of a sample is a line of its own: input 28x28x1",
    "name": "a layer is named in front of it: NAME: conv 3x3 x8",
    "in_channels": "leave it out: it follows from the layer before",
    "in_features": "leave it out: it follows from the layer before",
    "lr": "the learning rate is the optimizer's: optimizer adam lr=0.001",
    "learning_rate": "the learning rate is the optimizer's: optimizer adam lr=0.001",
    "max_lr": "leave it out: the highest rate is the optimizer's, as in optimizer adam lr=0.001",
    **dict.fromkeys(("total_steps", "t_max"), "leave it out: the length is that of train"),
    **dict.fromkeys(
        ("use_ema", "ema_momentum", "ema_decay"), "averages of the weights are a line of their own: ema decay=0.999"
    ),
    "batch_size": "the batch is set in a line of its own: train 10 epochs batch=32",
    "shuffle": "leave it out: the training samples are always shuffled",
    **dict.fromkeys(
        ("tie_weights", "tie_word_embeddings", "tie_embeddings", "weight_tying"),
        "name the layer whose weights it uses: dense 27 as=embed1",
    ),
}
"""Options of other tools that are written in another place here, or not at all."""


NEEDLESS = {
    **dict.fromkeys(
        ("trainable", "requires_grad", "frozen"), "a layer that does not learn is named below: freeze conv1"
    ),
    **dict.fromkeys(("in_channels", "in_features", "input_dim", "input_size"), ELSEWHERE["in_channels"]),
    "input_shape": ELSEWHERE["input_shape"],
    "name": ELSEWHERE["name"],
    "shuffle": ELSEWHERE["shuffle"],
    **{name: ELSEWHERE[name] for name in ("max_lr", "total_steps", "t_max")},
    **dict.fromkeys(("cycle_momentum", "base_momentum", "max_momentum"), "leave it out: the momentum stays as it is"),
    **dict.fromkeys(
        ("verbose", "data_format", "num_workers", "device", "dtype"),
        "leave it out: nothing here is like it",
    ),
}
"""Options of other tools that can be left out, with what they say here."""


NO_LINES = {
    **dict.fromkeys(("device", "gpu", "cuda", "to"), "leave the line out: training runs on the processor"),
    **dict.fromkeys(("save", "checkpoint", "export"), "leave the line out: nnspec train writes checkpoints by itself"),
    **dict.fromkeys(("plot", "show", "summary", "print"), "leave the line out: nnspec plan and nnspec plot show it"),
    **dict.fromkeys(("callbacks", "callback"), "leave the word out: early_stop patience=5 is a line of its own"),
    **dict.fromkeys(("evaluate", "predict", "test"), "leave the line out: nnspec eval and nnspec predict do it"),
    "compile": "leave the line out, and write loss, optimizer and metrics in lines of their own",
    "regularizer": "a penalty on weights is an option of a layer: dense 10 l2=0.001",
}
"""Lines of other tools that have no statement here, with what they say."""


def meant(word: str, known: Container[str], with_arguments: bool = False) -> str | None:
    """Return the known word that another spelling means, or None. `with_arguments` says that values follow it."""
    lower = word.lower()
    if with_arguments and LAYERS_WITH_ARGUMENTS.get(lower) in known:
        return LAYERS_WITH_ARGUMENTS[lower]
    return next((name for name in (lower, *WORDS.get(lower, ())) if name in known and name != word), None)


def option_meant(option: str, known: Container[str]) -> str | None:
    """Return the known option that another spelling means, or None."""
    lower = option.lower()
    return next((name for name in (lower, *OPTIONS.get(lower, ())) if name in known and name != option), None)
