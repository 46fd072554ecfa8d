// SPDX-License-Identifier: GPL-2.0
/* Pictures made of I_PCM and skipped macroblocks: no transform, no entropy coding, and yet what every decoder takes. */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "lab_h264.h"

/* NAL unit headers: nal_ref_idc and nal_unit_type. */
#define NAL_SPS		0x67
#define NAL_PPS		0x68
#define NAL_IDR		0x65
#define NAL_SLICE	0x41

/* slice_type that holds for all slices of the picture, and I_PCM's mb_type in such slices. */
#define SLICE_P		5
#define SLICE_I		7
#define I_PCM		25
#define I_PCM_IN_P	(5 + I_PCM)

#define FRAME_NUM_BITS	8
#define MB_BITS		(LAB_MB_BYTES * 8 + 24)	/* of an I_PCM macroblock, about */

/* Table A-1: macroblocks per second and per frame. */
static const struct {
	u8 level;
	u32 mbs_per_second, mbs;
} limits[] = {
	{ 10, 1485, 99 }, { 11, 3000, 396 }, { 12, 6000, 396 }, { 13, 11880, 396 },
	{ 20, 11880, 396 }, { 21, 19800, 792 }, { 22, 20250, 1620 },
	{ 30, 40500, 1620 }, { 31, 108000, 3600 }, { 32, 216000, 5120 },
	{ 40, 245760, 8192 }, { 41, 245760, 8192 }, { 42, 522240, 8704 },
	{ 50, 589824, 22080 }, { 51, 983040, 36864 },
};

/* lab_max_frame_bytes - the longest access unit: all I_PCM, every third byte followed by one of emulation prevention. */
u32 lab_max_frame_bytes(u32 width, u32 height)
{
	u32 mbs = DIV_ROUND_UP(width, 16) * DIV_ROUND_UP(height, 16);

	return PAGE_ALIGN(mbs * (LAB_MB_BYTES + 8) * 3 / 2 + 256);
}

/* lab_level_suffices - whether a level_idc allows pictures of this size at this interval. */
bool lab_level_suffices(u32 level, u32 width, u32 height, const struct v4l2_fract *interval)
{
	u64 mbs = DIV_ROUND_UP(width, 16) * DIV_ROUND_UP(height, 16);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].level == level)
			return mbs <= limits[i].mbs &&
			       mbs * interval->denominator <= (u64)limits[i].mbs_per_second * interval->numerator;
	return false;
}

int lab_stream_start(struct lab_stream *s, u32 width, u32 height)
{
	u32 mbs;

	*s = (struct lab_stream){ .mbs_wide = DIV_ROUND_UP(width, 16), .mbs_high = DIV_ROUND_UP(height, 16) };
	mbs = s->mbs_wide * s->mbs_high;
	s->shown = vzalloc(array_size(mbs, LAB_MB_BYTES));
	s->coded = vzalloc(mbs);
	if (s->shown && s->coded)
		return 0;
	lab_stream_stop(s);
	return -ENOMEM;
}

void lab_stream_stop(struct lab_stream *s)
{
	vfree(s->shown);
	vfree(s->coded);
	s->shown = NULL;
	s->coded = NULL;
}

static void write_sps(struct lab_bits *b, const struct lab_ctx *ctx, const struct lab_picture *p)
{
	const struct lab_stream *s = &ctx->stream;
	u32 right = (s->mbs_wide * 16 - p->width) / 2, bottom = (s->mbs_high * 16 - p->height) / 2;

	lab_nal(b, NAL_SPS);
	lab_put(b, 8, 66);				/* profile_idc: baseline */
	lab_put(b, 8, ctx->constrained ? 0xc0 : 0x80);	/* constraint_set0_flag, constraint_set1_flag */
	lab_put(b, 8, ctx->level);
	lab_ue(b, 0);					/* seq_parameter_set_id */
	lab_ue(b, FRAME_NUM_BITS - 4);
	lab_ue(b, 2);					/* pic_order_cnt_type: as decoded */
	lab_ue(b, 1);					/* max_num_ref_frames */
	lab_put(b, 1, 0);				/* gaps_in_frame_num_value_allowed_flag */
	lab_ue(b, s->mbs_wide - 1);
	lab_ue(b, s->mbs_high - 1);
	lab_put(b, 1, 1);				/* frame_mbs_only_flag */
	lab_put(b, 1, 1);				/* direct_8x8_inference_flag */
	lab_put(b, 1, right || bottom);			/* frame_cropping_flag */
	if (right || bottom) {
		lab_ue(b, 0);
		lab_ue(b, right);
		lab_ue(b, 0);
		lab_ue(b, bottom);
	}
	lab_put(b, 1, 0);				/* vui_parameters_present_flag */
	lab_trailing(b);
}

static void write_pps(struct lab_bits *b)
{
	lab_nal(b, NAL_PPS);
	lab_ue(b, 0);		/* pic_parameter_set_id */
	lab_ue(b, 0);		/* seq_parameter_set_id */
	lab_put(b, 2, 0);	/* CAVLC, no bottom field order */
	lab_ue(b, 0);		/* one slice group */
	lab_ue(b, 0);		/* one reference in list 0 */
	lab_ue(b, 0);		/* and in list 1 */
	lab_put(b, 3, 0);	/* no weighted prediction */
	lab_ue(b, 0);		/* pic_init_qp_minus26, a zero in se(v) too */
	lab_ue(b, 0);		/* pic_init_qs_minus26 */
	lab_ue(b, 0);		/* chroma_qp_index_offset */
	lab_put(b, 1, 1);	/* deblocking_filter_control_present_flag */
	lab_put(b, 2, 0);	/* no constrained intra prediction, no redundant pictures */
	lab_trailing(b);
}

static void write_slice_header(struct lab_bits *b, struct lab_stream *s, bool idr, u32 type)
{
	lab_nal(b, idr ? NAL_IDR : NAL_SLICE);
	lab_ue(b, 0);				/* first_mb_in_slice */
	lab_ue(b, type);
	lab_ue(b, 0);				/* pic_parameter_set_id */
	lab_put(b, FRAME_NUM_BITS, s->frame_num);
	if (idr)
		lab_ue(b, s->idr_id);
	if (type == SLICE_P)
		lab_put(b, 2, 0);		/* no num_ref_idx_active_override, no list modification */
	if (idr)
		lab_put(b, 2, 0);		/* output prior pictures, no long-term reference */
	else
		lab_put(b, 1, 0);		/* sliding window */
	lab_ue(b, 0);				/* slice_qp_delta, a zero in se(v) too */
	lab_ue(b, 1);				/* no deblocking: samples stay as they are */
}

/* Gathers one macroblock's samples. Beyond the picture's edge its last samples are repeated. */
static void gather(const struct lab_stream *s, const struct lab_picture *p, u32 mb, u8 *out)
{
	u32 left = mb % s->mbs_wide * 16, top = mb / s->mbs_wide * 16, x, y;

	for (y = 0; y < 16; y++) {
		const u8 *line = p->luma + min(top + y, p->height - 1) * p->luma_stride;
		u32 whole = min(16U, p->width - left);

		memcpy(out, line + left, whole);
		memset(out + whole, line[p->width - 1], 16 - whole);
		out += 16;
	}
	for (y = 0; y < 16; y++) {
		const u8 *plane = y < 8 ? p->cb : p->cr;
		const u8 *line = plane + min(top / 2 + y % 8, p->height / 2 - 1) * p->chroma_stride;

		for (x = 0; x < 8; x++)
			*out++ = line[min(left / 2 + x, p->width / 2 - 1) * p->step];
	}
}

/* Takes macroblock mb into the picture, unless it is shown already and may be skipped. */
static bool choose(struct lab_stream *s, const struct lab_picture *p, u32 mb, bool skip_same)
{
	u8 samples[LAB_MB_BYTES], *shown = s->shown + mb * LAB_MB_BYTES;

	gather(s, p, mb, samples);
	s->coded[mb] = !skip_same || memcmp(shown, samples, LAB_MB_BYTES);
	if (s->coded[mb])
		memcpy(shown, samples, LAB_MB_BYTES);
	return s->coded[mb];
}

static void choose_all(struct lab_stream *s, const struct lab_picture *p)
{
	u32 mb, mbs = s->mbs_wide * s->mbs_high;

	for (mb = 0; mb < mbs; mb++)
		choose(s, p, mb, false);
}

/* Takes macroblocks that changed while there are bits to spend, next time from where they ran out. */
static void choose_changed(struct lab_stream *s, const struct lab_picture *p)
{
	u32 i, mbs = s->mbs_wide * s->mbs_high;
	s64 left = s->budget;

	memset(s->coded, 0, mbs);
	for (i = 0; i < mbs && left >= MB_BITS; i++) {
		if (choose(s, p, s->next_mb, true))
			left -= MB_BITS;
		s->next_mb = (s->next_mb + 1) % mbs;
	}
}

static void write_macroblocks(struct lab_bits *b, const struct lab_stream *s, bool predicted)
{
	u32 mb, i, run = 0, mbs = s->mbs_wide * s->mbs_high;

	for (mb = 0; mb < mbs; mb++) {
		const u8 *samples = s->shown + mb * LAB_MB_BYTES;

		if (!s->coded[mb]) {
			run++;
			continue;
		}
		if (predicted)
			lab_ue(b, run);			/* mb_skip_run */
		run = 0;
		lab_ue(b, predicted ? I_PCM_IN_P : I_PCM);
		lab_align(b);
		for (i = 0; i < LAB_MB_BYTES; i++)
			lab_put(b, 8, samples[i]);
	}
	if (run)
		lab_ue(b, run);
	lab_trailing(b);
}

/* Fills the budget for one more frame, up to a second's worth. */
static void earn(struct lab_ctx *ctx)
{
	u64 bits = (u64)ctx->bitrate * ctx->interval.numerator;

	do_div(bits, max(ctx->interval.denominator, 1U));
	ctx->stream.budget = min_t(s64, ctx->stream.budget + bits, ctx->bitrate);
}

/*
 * lab_encode - one access unit. Returns its length, which is more than size when it didn't fit, and whether it is an
 * IDR picture.
 */
size_t lab_encode(struct lab_ctx *ctx, const struct lab_picture *p, u8 *out, size_t size, bool *idr)
{
	struct lab_stream *s = &ctx->stream;
	bool forced = atomic_xchg(&ctx->force_idr, 0), predicted;
	int between = READ_ONCE(lab_between);
	struct lab_bits b;

	lab_bits_init(&b, out, size);
	earn(ctx);
	*idr = !s->frames || forced || (ctx->gop && s->since_idr + 1 >= ctx->gop);
	predicted = !*idr && between != LAB_BETWEEN_PCM;
	if (*idr) {
		s->frame_num = 0;
		s->since_idr = 0;
		s->idr_id ^= 1;
		if (!s->frames || ctx->repeat_headers || ctx->prepend_headers) {
			write_sps(&b, ctx, p);
			write_pps(&b);
		}
	} else {
		s->frame_num = (s->frame_num + 1) % BIT(FRAME_NUM_BITS);
		s->since_idr++;
	}
	if (!predicted)
		choose_all(s, p);
	else if (between == LAB_BETWEEN_CHANGED)
		choose_changed(s, p);
	else
		memset(s->coded, 0, s->mbs_wide * s->mbs_high);
	write_slice_header(&b, s, *idr, predicted ? SLICE_P : SLICE_I);
	write_macroblocks(&b, s, predicted);
	s->frames++;
	s->budget -= 8 * b.used;
	return b.used;
}
