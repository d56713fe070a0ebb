/*
 * The kernels of networks in int8. A number q stands for (q - zero) * scale; the sums of products are exact in int32.
 */

/*
 * What becomes of a sum of output o: with `factors` a float, sum * factor; else an int8, the sum times
 * multiplier / 2^shift, plus `zero`.
 */
typedef struct {
    const float *factors;
    const int32_t *multipliers;
    const int8_t *shifts;
    int zero;
} Scaling;

/* A whole number in the range of int8, its ends where it is beyond them. */
static int8_t clamped(int64_t value)
{
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}

/* value / 2^shift, rounded to the nearest whole number; what is shifted is never negative. */
static int64_t shifted(int64_t value, int shift)
{
    const int64_t up = value + ((int64_t)1 << (shift - 1));
    return up >= 0 ? up >> shift : -((((int64_t)1 << shift) - 1 - up) >> shift);
}

/* The sum of output o into place i of y. */
static void store(int32_t sum, int o, void *y, long i, const Scaling *s)
{
    if (s->factors)
        ((float *)y)[i] = (float)sum * s->factors[o];
    else
        ((int8_t *)y)[i] = clamped(shifted((int64_t)sum * s->multipliers[o], s->shifts[o]) + s->zero);
}

/* The sum of x[i] * w[i]. */
static int32_t dot_int8(const int8_t *x, const int8_t *w, int n)
{
    int32_t sum = 0;
    int i = 0;
    for (; i + 4 <= n; i += 4)
        sum += x[i] * w[i] + x[i + 1] * w[i + 1] + x[i + 2] * w[i + 2] + x[i + 3] * w[i + 3];
    for (; i < n; i++)
        sum += x[i] * w[i];
    return sum;
}

/* The sum of w[i]. */
static int32_t total_int8(const int8_t *w, int n)
{
    int32_t sum = 0;
    int i;
    for (i = 0; i < n; i++)
        sum += w[i];
    return sum;
}

/* y = x / scale + zero, one scale and zero for all; what is beyond the range becomes its end. */
static void quantize(const float *x, float scale, int zero, int8_t *y, int n)
{
    int i;
    for (i = 0; i < n; i++) {
        const float value = x[i] / scale + (float)zero;
        y[i] = (int8_t)(value < -128.0f ? -128 : value > 127.0f ? 127 : lrintf(value));
    }
}

/* The normalized sample, (x - shift) / deviation for each channel, quantized. */
static void quantize_sample(const float *x, const float *shift, const float *deviation, float scale, int zero,
                            int8_t *y, int n, int channels)
{
    int i;
    for (i = 0; i < n; i++) {
        const float normal = (x[i] - shift[i % channels]) / deviation[i % channels];
        quantize(&normal, scale, zero, y + i, 1);
    }
}

/* y = (x - zero) * scale. */
static void dequantize(const int8_t *x, float scale, int zero, float *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = (float)(x[i] - zero) * scale;
}

/* Each number replaced by that of a table for -128, -127, ... 127; y may be x. */
static void lookup(const int8_t *x, const int8_t *table, int8_t *y, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = table[x[i] + 128];
}

/* As dense; the bias holds what the zero of x adds to a sum. */
static void dense_int8(const int8_t *x, const int8_t *weight, const int32_t *bias, const Scaling *scaling,
                       void *y, int rows, int inputs, int outputs)
{
    int row, o;
    for (row = 0; row < rows; row++, x += inputs)
        for (o = 0; o < outputs; o++)
            store(dot_int8(x, weight + (long)o * inputs, inputs) + bias[o], o, y, (long)row * outputs + o, scaling);
}

/* As conv; the bias holds what the zero of x adds to a sum over a whole window, cells around the image are zeros. */
static void conv_int8(const int8_t *x, int zero, const int8_t *weight, const int32_t *bias, const Scaling *scaling,
                      void *y, const Windows *w, int height)
{
    const int depth = w->inputs / w->groups, together = w->groups == 1 && w->dilation_x == 1;
    const int line_size = w->window_width * depth;
    long place = 0;
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
                const int8_t *kernel = weight + (long)f * w->window_height * line_size;
                int32_t sum = bias[f];
                for (u = 0; u < w->window_height; u++, kernel += line_size) {
                    const int row = i * w->stride_y + u * w->dilation_y - w->top;
                    const int8_t *line = x + (long)row * w->width * w->inputs + first;
                    if (row < 0 || row >= height) {
                        sum += zero * total_int8(kernel, line_size);
                        continue;
                    }
                    if (from > 0 || to < w->window_width)
                        sum += zero * (total_int8(kernel, from * depth)
                                       + total_int8(kernel + to * depth, line_size - to * depth));
                    if (together)
                        sum += dot_int8(line + (start + from) * depth, kernel + from * depth, (to - from) * depth);
                    else
                        for (v = from; v < to; v++)
                            sum += dot_int8(line + (start + v * w->dilation_x) * w->inputs, kernel + v * depth, depth);
                }
                store(sum, f, y, place++, scaling);
            }
        }
}

/* As depthwise; the bias holds what the zero of x adds to a sum over a whole window, cells around are zeros. */
static void depthwise_int8(const int8_t *x, int zero, const int8_t *weight, const int32_t *bias, const Scaling *scaling,
                           void *y, const Windows *w, int height)
{
    const int each = w->outputs / w->inputs;
    long place = 0;
    int i, j, f, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (f = 0; f < w->outputs; f++) {
                int32_t sum = bias[f];
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        const int inside = row >= 0 && row < height && column >= 0 && column < w->width;
                        sum += (inside ? x[((long)row * w->width + column) * w->inputs + f / each] : zero)
                            * weight[(u * w->window_width + v) * w->outputs + f];
                    }
                store(sum, f, y, place++, scaling);
            }
}

/* The largest number of each window, in each channel. */
static void maxpool_int8(const int8_t *x, int8_t *y, const Windows *w)
{
    int i, j, c, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (c = 0; c < w->inputs; c++) {
                int8_t most = -128;
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        if (row >= 0 && row < w->height && column >= 0 && column < w->width) {
                            const int8_t seen = x[((long)row * w->width + column) * w->inputs + c];
                            most = seen > most ? seen : most;
                        }
                    }
                *y++ = most;
            }
}

/* The mean of each window, in each channel, rounded; cells around the image are `zero`. */
static void avgpool_int8(const int8_t *x, int zero, const int16_t *in_rows, const int16_t *in_columns, int8_t *y,
                         const Windows *w)
{
    int i, j, c, u, v;
    for (i = 0; i < w->rows; i++)
        for (j = 0; j < w->columns; j++)
            for (c = 0; c < w->inputs; c++) {
                const int32_t count = (int32_t)in_rows[i] * in_columns[j];
                int32_t sum = 0;
                for (u = 0; u < w->window_height; u++)
                    for (v = 0; v < w->window_width; v++) {
                        const int row = i * w->stride_y + u * w->dilation_y - w->top;
                        const int column = j * w->stride_x + v * w->dilation_x - w->left;
                        if (row >= 0 && row < w->height && column >= 0 && column < w->width)
                            sum += x[((long)row * w->width + column) * w->inputs + c] - zero;
                    }
                *y++ = clamped((sum + (sum < 0 ? -count : count) / 2) / count + zero);
            }
}

/* The mean of each channel over the places, rounded; of no place it is `zero`. */
static void globalavgpool_int8(const int8_t *x, int zero, int8_t *y, int places, int channels)
{
    const int32_t count = places > 0 ? places : 1;
    int place, c;
    for (c = 0; c < channels; c++) {
        int32_t sum = 0;
        for (place = 0; place < places; place++)
            sum += x[(long)place * channels + c] - zero;
        y[c] = clamped((sum + (sum < 0 ? -count : count) / 2) / count + zero);
    }
}

/* The largest number of each channel over the first places; where these are none, over all. */
static void globalmaxpool_int8(const int8_t *x, int8_t *y, int places, int all, int channels)
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

/* y = a + b; the factors are 2^20 times the scale of a, or b, by that of y. y may be either. */
static void add_int8(const int8_t *a, int zero_a, int32_t factor_a, const int8_t *b, int zero_b, int32_t factor_b,
                     int8_t *y, int zero, int n)
{
    int i;
    for (i = 0; i < n; i++)
        y[i] = clamped(shifted((int64_t)(a[i] - zero_a) * factor_a + (int64_t)(b[i] - zero_b) * factor_b, 20) + zero);
}
