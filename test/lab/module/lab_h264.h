/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A stateful V4L2 memory-to-memory H.264 encoder without hardware, to test against: its interface is that of a
 * Raspberry Pi's, its stream is valid constrained baseline made of I_PCM and skipped macroblocks, and it can be told
 * to misbehave. main.c has the device and its queues, switches.c the parameters, ioctl.c formats and commands,
 * controls.c the controls, stream.c the pictures, bits.c the syntax elements.
 */
#ifndef LAB_H264_H
#define LAB_H264_H

#include <media/media-device.h>
#include <media/v4l2-ctrls.h>
#include <media/v4l2-device.h>
#include <media/v4l2-fh.h>
#include <media/v4l2-mem2mem.h>

#define LAB_NAME	"lab_h264"

#define LAB_MIN_SIZE	32
#define LAB_MAX_SIZE	1920
#define LAB_STRIDE	32	/* a line's bytes are a multiple of it, as on the Pi */

#define LAB_MB_LUMA	256
#define LAB_MB_BYTES	384	/* a macroblock's samples: 16x16 luma, two times 8x8 chroma */

/* What the pictures between two IDR pictures are made of: the module parameter "between". */
enum lab_between {
	LAB_BETWEEN_PCM,	/* every macroblock in full */
	LAB_BETWEEN_CHANGED,	/* the macroblocks that changed, as far as the bitrate allows */
	LAB_BETWEEN_SKIPPED,	/* none: the picture moves at IDRs only */
};

/* What is done about a level too low for size and rate: the module parameter "low_level". */
enum lab_low_level {
	LAB_LOW_LEVEL_IGNORED,
	LAB_LOW_LEVEL_REFUSED,	/* STREAMON fails with ESRCH, as on the Pi */
	LAB_LOW_LEVEL_STALLS,	/* no frame ever comes */
};

struct lab_format {
	u32 fourcc;
	u8 step;	/* from one chroma sample to the next: 2 where they are interleaved */
	bool swapped;	/* Cr comes before Cb */
};

struct lab_dev {
	struct v4l2_device v4l2;
	struct media_device media;
	struct video_device video;
	struct v4l2_m2m_dev *m2m;
	struct mutex lock;	/* serialises ioctls and queues */
};

/* Where a picture's samples are. */
struct lab_picture {
	u32 width, height;
	const u8 *luma, *cb, *cr;
	u32 luma_stride, chroma_stride;
	u8 step;
};

/* The state of the stream, from one STREAMON of the capture queue to the next. */
struct lab_stream {
	u32 mbs_wide, mbs_high;
	u32 frames;		/* encoded so far */
	u32 since_idr;
	u32 frame_num;		/* the syntax element */
	u32 idr_id;		/* the syntax element */
	u32 next_mb;		/* where LAB_BETWEEN_CHANGED goes on when the bits ran out */
	s64 budget;		/* bits that may be spent */
	u8 *shown;		/* what a decoder shows now, macroblock by macroblock */
	u8 *coded;		/* which macroblocks the picture at hand codes */
	bool broken;
};

struct lab_ctx {
	struct v4l2_fh fh;
	struct lab_dev *dev;
	struct v4l2_ctrl_handler ctrls;

	struct v4l2_pix_format_mplane raw, coded;
	const struct lab_format *format;
	struct v4l2_fract interval;

	/* Written by controls, read when a frame is encoded. */
	u32 bitrate;
	u32 gop;
	u32 level;		/* level_idc */
	bool constrained;
	bool repeat_headers, prepend_headers;
	atomic_t force_idr;

	struct lab_stream stream;
};

/* A writer of NAL units with emulation prevention. Bits that don't fit are counted but not kept. */
struct lab_bits {
	u8 *out;
	size_t size, used;
	u32 zeros;	/* zero bytes in a row */
	u32 held;	/* bits not yet a byte */
	u8 n_held;
};

static inline struct lab_ctx *lab_ctx_of(struct file *file)
{
	return container_of(file->private_data, struct lab_ctx, fh);
}

/* bits.c */
void lab_bits_init(struct lab_bits *b, u8 *out, size_t size);
void lab_nal(struct lab_bits *b, u8 header);
void lab_put(struct lab_bits *b, u8 n, u32 value);
void lab_ue(struct lab_bits *b, u32 value);
void lab_align(struct lab_bits *b);
void lab_trailing(struct lab_bits *b);

/* stream.c */
u32 lab_max_frame_bytes(u32 width, u32 height);
bool lab_level_suffices(u32 level, u32 width, u32 height, const struct v4l2_fract *interval);
int lab_stream_start(struct lab_stream *s, u32 width, u32 height);
void lab_stream_stop(struct lab_stream *s);
size_t lab_encode(struct lab_ctx *ctx, const struct lab_picture *p, u8 *out, size_t size, bool *idr);

/* controls.c */
int lab_controls_init(struct lab_ctx *ctx);

/* ioctl.c */
extern const struct v4l2_ioctl_ops lab_ioctl_ops;
void lab_formats_init(struct lab_ctx *ctx);

/* switches.c: parameters, writable under /sys/module/lab_h264/parameters, and counters, readable there */
extern int lab_between, lab_deaf, lab_forced, lab_bitrate;
int lab_refusal(const struct lab_ctx *ctx);
bool lab_fails(const struct lab_ctx *ctx);
bool lab_stalls(const struct lab_ctx *ctx);
void lab_count(bool idr);

#endif
