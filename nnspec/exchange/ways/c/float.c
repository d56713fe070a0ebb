/*
 * The kernels of float networks. A file for a network holds those that it calls, and what these call.
 *
 * Arrays are of one sample, in C order: rows (rows, channels), images (height, width, channels). A sequence is an image
 * one pixel wide. Weights have their outputs first, so that each output is the sum of contiguous products. No bias is a
 * null pointer. Where x and y may be the same array, the comment says so.
 */

/*
 * Windows over an image. Cell (u, v) of window (i, j) is at row i * stride_y + u * dilation_y - top, and likewise at a
 * column. `rows` and `columns` count the windows, `inputs` the channels of the image, `outputs` those of the result.
 */
typedef struct {
    int height, width, inputs;
    int rows, columns, outputs;
    int window_height, window_width;
    int stride_y, stride_x;
    int dilation_y, dilation_x;
    int top, left;
    int groups;
} Windows;

/* One direction of a recurrent layer: its outputs are `units` of the `stride` numbers of a step, from `place` on. */
typedef struct {
    int time, features, units;
    int backwards, sequence;
    int stride, place;
} Recurrence;

/* The sum of x[i] * w[i], as four partial sums, whose rounding errors are smaller. */
static float dot(const float *x, const float *w, int n)
{
    float a = 0.0f, b = 0.0f, c = 0.0f, d = 0.0f;
    int i = 0;
    for (; i + 4 <= n; i += 4) {
        a += x[i] * w[i];
        b += x[i + 1] * w[i + 1];
        c += x[i + 2] * w[i + 2];
        d += x[i + 3] * w[i + 3];
    }
    for (; i < n; i++)
        a += x[i] * w[i];
    return (a + b) + (c + d);
}

/* y = (x - shift) / scale, one of each for every channel. */
static void normalize(const float *x, const float *shift, const float *scale, float *y, int n, int channels)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = (x[i] - shift[i % channels]) / scale[i % channels];
}

/* y = x * scale + shift, one of each for every channel; y may be x. */
static void scale_shift(const float *x, const float *scale, const float *shift, float *y, int n, int channels)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] * scale[i % channels] + shift[i % channels];
}

/* y = x W + b for each row; weight (outputs, inputs). */
static void dense(const float *x, const float *weight, const float *bias, float *y, int rows, int inputs, int outputs)
{
    int row, o;
    for (row = 0; row < rows; row++, x += inputs)
        for (o = 0; o < outputs; o++)
            *y++ = dot(x, weight + (long)o * inputs, inputs) + (bias ? bias[o] : 0.0f);
}

/* Convolution; weight (outputs, window_height, window_width, inputs / groups). Rows from `height` on are zeros. */
static void conv(const float *x, const float *weight, const float *bias, float *y, const Windows *w, int height)
{
    const int depth = w->inputs / w->groups, together = w->groups == 1 && w->dilation_x == 1;
    int i, j, f, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++) {
            const int start = j * w->stride_x - w->left;
            int from = 0, to = w->window_width;
            while (from < to && start + from * w->dilation_x < 0)
                from++;
            while (from < to && start + (to - 1) * w->dilation_x >= w->width)
                to--;
            for (f = 0; f < w->outputs; f++) {
                const int first = f / (w->outputs / w->groups) * depth;
                const float *kernel = weight + (long)f * w->window_height * w->window_width * depth;
                float sum = 0.0f;
                for (u = 0; u < w->window_height; u++, kernel += w->window_width * depth) {
                    const int row = i * w->stride_y + u * w->dilation_y - w->top;
                    const float *line = x + (long)row * w->width * w->inputs + first;
                    if (row < 0 || row >= height)
                        continue;
                    if (together)
                        sum += dot(line + (start + from) * depth, kernel + from * depth, (to - from) * depth);
                    else
                        for (v = from; v < to; v++)
                            sum += dot(line + (start + v * w->dilation_x) * w->inputs, kernel + v * depth, depth);
                }
                *y++ = sum + (bias ? bias[f] : 0.0f);
            }
        }
}

/* Convolution of each channel by itself; weight (window_height, window_width, outputs). Rows from `height` on are zeros. */
static void depthwise(const float *x, const float *weight, const float *bias, float *y, const Windows *w, int height)
{
    const int each = w->outputs / w->inputs;
    int i, j, f, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (f = 0; f < w->outputs; f++) {
                float sum = bias ? bias[f] : 0.0f;
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        if (row >= 0 && row < height && column >= 0 && column < w->width)
                            sum += x[((long)row * w->width + column) * w->inputs + f / each]
                                * weight[(u * w->window_width + v) * w->outputs + f];
                    }
                *y++ = sum;
            }
}

/*
 * Transposed convolution: each pixel of x adds its window to y. The windows are over y, (height, width, inputs); those
 * of x are (rows, columns, outputs). weight (window_height, window_width, inputs, outputs / groups). Rows of x from
 * `real` on are zeros.
 */
static void transposed(const float *x, const float *weight, const float *bias, float *y, const Windows *w, int real)
{
    const int depth = w->outputs / w->groups;
    int i, j, f, u, v;
    for (i = 0; i < w->height * w->width; i++)
        for (f = 0; f < w->inputs; f++)
            y[(long)i * w->inputs + f] = bias ? bias[f] : 0.0f;
    for (i = 0; i < real; i++)
        for (j = 0; j < w->columns; j++)
            for (u = 0; u < w->window_height; u++)
                for (v = 0; v < w->window_width; v++) {
                    const int row = i * w->stride_y + u * w->dilation_y - w->top;
                    const int column = j * w->stride_x + v * w->dilation_x - w->left;
                    const float *kernel = weight + (long)(u * w->window_width + v) * w->inputs * depth;
                    const float *pixel = x + ((long)i * w->columns + j) * w->outputs;
                    float *sums = y + ((long)row * w->width + column) * w->inputs;
                    if (row < 0 || row >= w->height || column < 0 || column >= w->width)
                        continue;
                    for (f = 0; f < w->inputs; f++)
                        sums[f] += dot(pixel + f / (w->inputs / w->groups) * depth, kernel + (long)f * depth, depth);
                }
}

/* The largest number of each window, in each channel. */
static void maxpool(const float *x, float *y, const Windows *w)
{
    int i, j, c, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (c = 0; c < w->inputs; c++) {
                float most = -INFINITY;
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        if (row >= 0 && row < w->height && column >= 0 && column < w->width) {
                            const float seen = x[((long)row * w->width + column) * w->inputs + c];
                            most = seen > most ? seen : most;
                        }
                    }
                *y++ = most;
            }
}

/* The mean of each window, in each channel; the cells that count are those of a row times those of a column. */
static void avgpool(const float *x, const int16_t *in_rows, const int16_t *in_columns, float *y, const Windows *w)
{
    int i, j, c, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (c = 0; c < w->inputs; c++) {
                float sum = 0.0f;
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        if (row >= 0 && row < w->height && column >= 0 && column < w->width)
                            sum += x[((long)row * w->width + column) * w->inputs + c];
                    }
                *y++ = sum / (float)(in_rows[i] * in_columns[j]);
            }
}

/* The mean of each channel over the places; of no place it is 0. */
static void globalavgpool(const float *x, float *y, int places, int channels)
{
    int place, c;
    for (c = 0; c < channels; c++) {
        float sum = 0.0f, part = 0.0f;
        for (place = 0; place < places; place++) {
            part += x[(long)place * channels + c];
            if (place % 32 == 31) {
                sum += part;
                part = 0.0f;
            }
        }
        y[c] = (sum + part) / (float)(places > 0 ? places : 1);
    }
}

/* The largest number of each channel over the first places; where these are none, over all. */
static void globalmaxpool(const float *x, float *y, int places, int all, int channels)
{
    int place, c;
    if (places < 1)
        places = all;
    for (c = 0; c < channels; c++) {
        y[c] = x[c];
        for (place = 1; place < places; place++)
            if (x[(long)place * channels + c] > y[c])
                y[c] = x[(long)place * channels + c];
    }
}

/*
 * y = weight * (x - mean) / sqrt(variance + eps) + bias, mean and variance of each group of channels over all places.
 * Without a weight nothing is scaled or shifted; y may be x.
 */
static void groupnorm(const float *x, const float *weight, const float *bias, float *y, int places, int channels,
                      int groups, float eps)
{
    const int depth = channels / groups;
    int g, place, c;
    for (g = 0; g < groups; g++) {
        const int first = g * depth;
        float mean = 0.0f, variance = 0.0f, deviation;
        for (place = 0; place < places; place++) {
            float sum = 0.0f;
            for (c = first; c < first + depth; c++)
                sum += x[(long)place * channels + c];
            mean += sum / (float)depth;
        }
        mean /= (float)places;
        for (place = 0; place < places; place++) {
            float sum = 0.0f;
            for (c = first; c < first + depth; c++) {
                const float centred = x[(long)place * channels + c] - mean;
                sum += centred * centred;
            }
            variance += sum / (float)depth;
        }
        deviation = sqrtf(variance / (float)places + eps);
        for (place = 0; place < places; place++)
            for (c = first; c < first + depth; c++) {
                const float normal = (x[(long)place * channels + c] - mean) / deviation;
                y[(long)place * channels + c] = weight ? normal * weight[c] + bias[c] : normal;
            }
    }
}

/* Each row normalized by itself; y may be x. */
static void layernorm(const float *x, const float *weight, const float *bias, float *y, int rows, int channels, float eps)
{
    int row;
    for (row = 0; row < rows; row++)
        groupnorm(x + (long)row * channels, weight, bias, y + (long)row * channels, 1, channels, 1, eps);
}

/* y = max(x, 0); y may be x, as in every activation. */
static void apply_relu(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

/* y = x where x > 0, else slope * x. */
static void apply_leaky_relu(const float *x, float slope, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : slope * x[i];
}

/* y = x where x > 0, else slope * x, with `slopes` slopes in turn. */
static void prelu(const float *x, const float *slope, float *y, int n, int slopes)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : slope[i % slopes] * x[i];
}

/* y = scale * x where x > 0, else scale * alpha * (exp(x) - 1). */
static void apply_elu(const float *x, float scale, float alpha, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = scale * (x[i] > 0.0f ? x[i] : alpha * expm1f(x[i]));
}

/* y = x * (1 + erf(x / sqrt(2))) / 2. */
static void apply_gelu(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] * (0.5f * (1.0f + erff(x[i] * 0.70710678f)));
}

/* 1 / (1 + exp(-x)), without overflow. */
static float sigmoid(float x)
{
    const float power = expf(x < 0.0f ? x : -x);
    return (x < 0.0f ? power : 1.0f) / (1.0f + power);
}

/* log(1 + exp(x)), without overflow. */
static float softplus(float x)
{
    return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));
}

/* y = 1 / (1 + exp(-x)). */
static void apply_sigmoid(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = sigmoid(x[i]);
}

/* y = x / (1 + exp(-x)). */
static void apply_silu(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] * sigmoid(x[i]);
}

/* y = x * tanh(log(1 + exp(x))). */
static void apply_mish(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[i] * tanhf(softplus(x[i]));
}

/* y = log(1 + exp(x)). */
static void apply_softplus(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = softplus(x[i]);
}

/* y = tanh(x). */
static void apply_tanh(const float *x, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

/* y = exp(x) / sum of exp(x) over each row. */
static void apply_softmax(const float *x, float *y, int rows, int channels)
{
    int row, c;
    for (row = 0; row < rows; row++, x += channels, y += channels) {
        float most = x[0], sum = 0.0f;
        for (c = 1; c < channels; c++)
            most = x[c] > most ? x[c] : most;
        for (c = 0; c < channels; c++) {
            y[c] = expf(x[c] - most);
            sum += y[c];
        }
        for (c = 0; c < channels; c++)
            y[c] /= sum;
    }
}

/* y = a + b; y may be either. */
static void add(const float *a, const float *b, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = a[i] + b[i];
}

/* y = a * b at each place; the step of an operand is 0 where it is a single row for all places. y may be a whole one. */
static void multiply(const float *a, const float *b, float *y, int places, int channels, int step_a, int step_b)
{
    int place, c;
    for (place = 0; place < places; place++)
        for (c = 0; c < channels; c++)
            y[(long)place * channels + c] = a[(long)place * step_a + c] * b[(long)place * step_b + c];
}

/* The rows of x, `bytes` long, into rows of y that are `stride` bytes apart. */
static void concatenate(const void *x, void *y, int rows, int bytes, int stride)
{
    int row;
    for (row = 0; row < rows; row++)
        memcpy((char *)y + (long)row * stride, (const char *)x + (long)row * bytes, (size_t)bytes);
}

/* The pixels of x, `bytes` long, at these rows and columns; -1 is a pixel whose bytes are `fill`. */
static void pick(const void *x, const int16_t *rows, const int16_t *columns, void *y, int height, int width,
                 int input_width, int bytes, int fill)
{
    char *to = (char *)y;
    int i, j;
    for (i = 0; i < height; i++)
        for (j = 0; j < width; j++, to += bytes)
            if (rows[i] < 0 || columns[j] < 0)
                memset(to, fill, (size_t)bytes);
            else
                memcpy(to, (const char *)x + ((long)rows[i] * input_width + columns[j]) * bytes, (size_t)bytes);
}

/* Bilinear: row i is of rows low and low + 1, the share of the second being `share`; columns likewise. */
static void upsample(const float *x, const int16_t *low_rows, const float *row_shares, const int16_t *low_columns,
                     const float *column_shares, float *y, int height, int width, const Windows *w)
{
    int i, j, c;
    for (i = 0; i < height; i++)
        for (j = 0; j < width; j++)
            for (c = 0; c < w->inputs; c++) {
                const int up = low_rows[i], down = up + 1 < w->height ? up + 1 : up;
                const int left = low_columns[j], right = left + 1 < w->width ? left + 1 : left;
                const float s = row_shares[i], t = column_shares[j];
                const float first = (1.0f - s) * x[((long)up * w->width + left) * w->inputs + c]
                    + s * x[((long)down * w->width + left) * w->inputs + c];
                const float second = (1.0f - s) * x[((long)up * w->width + right) * w->inputs + c]
                    + s * x[((long)down * w->width + right) * w->inputs + c];
                *y++ = (1.0f - t) * first + t * second;
            }
}

/* The axes of x in another order: `sizes` are those of y, `steps` the numbers of x from one to the next along each. */
static void permute(const void *x, void *y, int n, int axes, const int16_t *sizes, const int32_t *steps, int bytes)
{
    int i, axis;
    for (i = 0; i < n; i++) {
        int32_t place = 0;
        int rest = i;
        for (axis = axes - 1; axis >= 0; axis--) {
            place += rest % sizes[axis] * steps[axis];
            rest /= sizes[axis];
        }
        memcpy((char *)y + (long)i * bytes, (const char *)x + (long)place * bytes, (size_t)bytes);
    }
}

/* y[i] = x[index[i]]. */
static void gather(const float *x, const int16_t *index, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = x[index[i]];
}

/* How many symbols at the end are -1, the padding after a shorter sequence. */
static int padded(const float *symbols, int time)
{
    int count = 0;
    while (count < time && symbols[time - 1 - count] <= -0.5f)
        count++;
    return count;
}

/* Each symbol as its row of the weight (vocabulary, units); padding, and what is not a symbol, as zeros. */
static void embed(const float *x, const float *weight, float *y, int time, int vocabulary, int units)
{
    int t;
    for (t = 0; t < time; t++, y += units) {
        const long symbol = lrintf(x[t]);
        if (symbol >= 0 && symbol < vocabulary)
            memcpy(y, weight + symbol * units, (size_t)units * sizeof(float));
        else
            memset(y, 0, (size_t)units * sizeof(float));
    }
}

/* Each symbol as a row that is 1 at its place; padding, and what is not a symbol, as zeros. */
static void onehot(const float *x, float *y, int time, int vocabulary)
{
    int t;
    memset(y, 0, (size_t)time * (size_t)vocabulary * sizeof(float));
    for (t = 0; t < time; t++, y += vocabulary) {
        const long symbol = lrintf(x[t]);
        if (symbol >= 0 && symbol < vocabulary)
            y[symbol] = 1.0f;
    }
}

/*
 * One step of a recurrent layer: sums = x W + b and h U for each of `columns` columns; the weights are (columns,
 * features) and (columns, units).
 */
static void drive(const float *x, const float *h, const float *input_weight, const float *hidden_weight,
                  const float *bias, float *inputs, float *products, int columns, const Recurrence *r)
{
    int k;
    for (k = 0; k < columns; k++) {
        inputs[k] = dot(x, input_weight + (long)k * r->features, r->features) + (bias ? bias[k] : 0.0f);
        products[k] = dot(h, hidden_weight + (long)k * r->units, r->units);
    }
}

/* The outputs of step t, or nothing where only those of the last step count. */
static void show(const float *h, float *y, int t, const Recurrence *r)
{
    if (r->sequence)
        memcpy(y + (long)t * r->stride + r->place, h, (size_t)r->units * sizeof(float));
}

/* h' = tanh(x W + b + h U), or relu. `state` is h, `room` two rows of units. Steps from `real` on change nothing. */
static void rnn(const float *x, const float *input_weight, const float *hidden_weight, const float *bias, float *y,
                float *state, float *room, const Recurrence *r, int real, int relu)
{
    const int n = r->units;
    int step, k;
    memset(state, 0, (size_t)n * sizeof(float));
    for (step = 0; step < r->time; step++) {
        const int t = r->backwards ? r->time - 1 - step : step;
        if (t < real) {
            drive(x + (long)t * r->features, state, input_weight, hidden_weight, bias, room, room + n, n, r);
            for (k = 0; k < n; k++) {
                const float sum = room[k] + room[n + k];
                state[k] = relu ? (sum > 0.0f ? sum : 0.0f) : tanhf(sum);
            }
        }
        show(state, y, t, r);
    }
    if (!r->sequence)
        memcpy(y + r->place, state, (size_t)n * sizeof(float));
}

/*
 * c' = s(f) c + s(i) tanh(g), h' = s(o) tanh(c'), s the sigmoid, i f g o blocks of x W + b + h U. `state` is h and c,
 * `room` eight rows of units. Steps from `real` on change nothing.
 */
static void lstm(const float *x, const float *input_weight, const float *hidden_weight, const float *bias, float *y,
                 float *state, float *room, const Recurrence *r, int real)
{
    const int n = r->units;
    float *cell = state + n, *products = room + 4 * n;
    int step, k;
    memset(state, 0, 2 * (size_t)n * sizeof(float));
    for (step = 0; step < r->time; step++) {
        const int t = r->backwards ? r->time - 1 - step : step;
        if (t < real) {
            drive(x + (long)t * r->features, state, input_weight, hidden_weight, bias, room, products, 4 * n, r);
            for (k = 0; k < n; k++) {
                const float in = sigmoid(room[k] + products[k]);
                const float keep = sigmoid(room[n + k] + products[n + k]);
                const float new = tanhf(room[2 * n + k] + products[2 * n + k]);
                const float out = sigmoid(room[3 * n + k] + products[3 * n + k]);
                cell[k] = keep * cell[k] + in * new;
                state[k] = out * tanhf(cell[k]);
            }
        }
        show(state, y, t, r);
    }
    if (!r->sequence)
        memcpy(y + r->place, state, (size_t)n * sizeof(float));
}

/*
 * h' = n + z (h - n), r = s(x W + h U), z = s(x W + h U), n = tanh(x W + r (h U + hidden_bias)), by blocks r z n.
 * `state` is h, `room` six rows of units. Steps from `real` on change nothing.
 */
static void gru(const float *x, const float *input_weight, const float *hidden_weight, const float *bias,
                const float *hidden_bias, float *y, float *state, float *room, const Recurrence *r, int real)
{
    const int n = r->units;
    float *products = room + 3 * n;
    int step, k;
    memset(state, 0, (size_t)n * sizeof(float));
    for (step = 0; step < r->time; step++) {
        const int t = r->backwards ? r->time - 1 - step : step;
        if (t < real) {
            drive(x + (long)t * r->features, state, input_weight, hidden_weight, bias, room, products, 3 * n, r);
            for (k = 0; k < n; k++) {
                const float reset = sigmoid(room[k] + products[k]);
                const float keep = sigmoid(room[n + k] + products[n + k]);
                const float recalled = products[2 * n + k] + (hidden_bias ? hidden_bias[k] : 0.0f);
                const float new = tanhf(room[2 * n + k] + reset * recalled);
                state[k] = new + keep * (state[k] - new);
            }
        }
        show(state, y, t, r);
    }
    if (!r->sequence)
        memcpy(y + r->place, state, (size_t)n * sizeof(float));
}

/*
 * softmax(q k / sqrt(size)) v for each head; `thirds` are q, k and v side by side, (time, 3 * heads * size), and y is
 * (time, heads * size). `scores` has room for a number a step. Steps from `real` on are not seen, nor are later ones
 * where it is `causal`; a step that would see none sees all alike.
 */
static void attention(const float *thirds, float *scores, float *y, int time, int heads, int size, int causal, int real)
{
    const int width = heads * size;
    const float scale = 1.0f / sqrtf((float)size);
    int t, h, s, k;
    for (t = 0; t < time; t++)
        for (h = 0; h < heads; h++) {
            const float *query = thirds + (long)t * 3 * width + h * size;
            float *sums = y + (long)t * width + h * size;
            int seen = causal && t + 1 < real ? t + 1 : real;
            const int blind = seen <= 0;
            float most = -INFINITY, total = 0.0f;
            if (blind)
                seen = time;
            for (s = 0; s < seen; s++) {
                scores[s] = blind ? 0.0f : scale * dot(query, thirds + ((long)s * 3 + 1) * width + h * size, size);
                most = scores[s] > most ? scores[s] : most;
            }
            for (s = 0; s < seen; s++) {
                scores[s] = expf(scores[s] - most);
                total += scores[s];
            }
            for (k = 0; k < size; k++)
                sums[k] = 0.0f;
            for (s = 0; s < seen; s++)
                for (k = 0; k < size; k++)
                    sums[k] += scores[s] / total * thirds[((long)s * 3 + 2) * width + h * size + k];
        }
}
