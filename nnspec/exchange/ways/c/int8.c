/*
 * The kernels of networks in int8.
 */
