// SPDX-License-Identifier: GPL-2.0
/* Syntax elements of H.264 (ITU-T H.264, 7.2 and 9.1) in a byte stream (annex B). */
#include <linux/bitops.h>

#include "lab_h264.h"

static void raw(struct lab_bits *b, u8 byte)
{
	if (b->used < b->size)
		b->out[b->used] = byte;
	b->used++;
}

/* After two zero bytes a byte up to 3 would look like a start code: a 3 goes between. */
static void byte(struct lab_bits *b, u8 value)
{
	if (b->zeros == 2 && value <= 3) {
		raw(b, 3);
		b->zeros = 0;
	}
	raw(b, value);
	b->zeros = value ? 0 : b->zeros + 1;
}

void lab_bits_init(struct lab_bits *b, u8 *out, size_t size)
{
	*b = (struct lab_bits){ .out = out, .size = size };
}

/* lab_nal - start a NAL unit: start code and header byte. The one before must have got its trailing bits. */
void lab_nal(struct lab_bits *b, u8 header)
{
	raw(b, 0);
	raw(b, 0);
	raw(b, 0);
	raw(b, 1);
	b->zeros = 0;
	byte(b, header);
}

/* lab_put - u(n), at most 24 bits. */
void lab_put(struct lab_bits *b, u8 n, u32 value)
{
	b->held = b->held << n | (value & (BIT(n) - 1));
	b->n_held += n;
	while (b->n_held >= 8) {
		b->n_held -= 8;
		byte(b, b->held >> b->n_held);
	}
	b->held &= BIT(b->n_held) - 1;
}

/* lab_ue - ue(v), Exp-Golomb. */
void lab_ue(struct lab_bits *b, u32 value)
{
	u8 n = fls(value + 1);

	lab_put(b, n - 1, 0);
	lab_put(b, n, value + 1);
}

/* lab_align - zero bits to the next byte. */
void lab_align(struct lab_bits *b)
{
	if (b->n_held)
		lab_put(b, 8 - b->n_held, 0);
}

/* lab_trailing - the end of a NAL unit: a one, and zeros to the byte. */
void lab_trailing(struct lab_bits *b)
{
	lab_put(b, 1, 1);
	lab_align(b);
}
