// SPDX-License-Identifier: GPL-2.0
/* The controls that a Raspberry Pi's encoder has and a streamer sets. */
#include "lab_h264.h"

#define LEVEL(name)	V4L2_MPEG_VIDEO_H264_LEVEL_##name
#define PROFILE(name)	V4L2_MPEG_VIDEO_H264_PROFILE_##name

static const u8 level_idc[] = {
	[LEVEL(1_0)] = 10, [LEVEL(1_1)] = 11, [LEVEL(1_2)] = 12, [LEVEL(1_3)] = 13,
	[LEVEL(2_0)] = 20, [LEVEL(2_1)] = 21, [LEVEL(2_2)] = 22,
	[LEVEL(3_0)] = 30, [LEVEL(3_1)] = 31, [LEVEL(3_2)] = 32,
	[LEVEL(4_0)] = 40, [LEVEL(4_1)] = 41, [LEVEL(4_2)] = 42,
	[LEVEL(5_0)] = 50, [LEVEL(5_1)] = 51,
};

static int set(struct v4l2_ctrl *ctrl)
{
	struct lab_ctx *ctx = container_of(ctrl->handler, struct lab_ctx, ctrls);

	switch (ctrl->id) {
	case V4L2_CID_MPEG_VIDEO_BITRATE:
		ctx->bitrate = ctrl->val;
		WRITE_ONCE(lab_bitrate, ctrl->val);
		break;
	case V4L2_CID_MPEG_VIDEO_GOP_SIZE:
	case V4L2_CID_MPEG_VIDEO_H264_I_PERIOD:
		ctx->gop = ctrl->val;
		break;
	case V4L2_CID_MPEG_VIDEO_H264_PROFILE:
		ctx->constrained = ctrl->val == PROFILE(CONSTRAINED_BASELINE);
		break;
	case V4L2_CID_MPEG_VIDEO_H264_LEVEL:
		ctx->level = level_idc[ctrl->val];
		break;
	case V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME:
		atomic_set(&ctx->force_idr, !READ_ONCE(lab_deaf));
		WRITE_ONCE(lab_forced, lab_forced + 1);
		break;
	case V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER:
		ctx->repeat_headers = ctrl->val;
		break;
	case V4L2_CID_MPEG_VIDEO_PREPEND_SPSPPS_TO_IDR:
		ctx->prepend_headers = ctrl->val;
		break;
	}
	return 0;
}

static const struct v4l2_ctrl_ops ops = { .s_ctrl = set };

/* lab_controls_init - a handler with every control at its default, and the defaults in ctx. */
int lab_controls_init(struct lab_ctx *ctx)
{
	struct v4l2_ctrl_handler *h = &ctx->ctrls;

	v4l2_ctrl_handler_init(h, 12);
	v4l2_ctrl_new_std_menu(h, &ops, V4L2_CID_MPEG_VIDEO_BITRATE_MODE, V4L2_MPEG_VIDEO_BITRATE_MODE_CBR, 0,
			       V4L2_MPEG_VIDEO_BITRATE_MODE_VBR);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_BITRATE, 25000, 25000000, 1, 10000000);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_GOP_SIZE, 0, INT_MAX, 1, 60);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_H264_I_PERIOD, 0, INT_MAX, 1, 60);
	v4l2_ctrl_new_std_menu(h, &ops, V4L2_CID_MPEG_VIDEO_H264_PROFILE, PROFILE(CONSTRAINED_BASELINE), 0,
			       PROFILE(CONSTRAINED_BASELINE));
	v4l2_ctrl_new_std_menu(h, &ops, V4L2_CID_MPEG_VIDEO_H264_LEVEL, LEVEL(5_1), BIT(LEVEL(1B)), LEVEL(4_0));
	v4l2_ctrl_new_std_menu(h, &ops, V4L2_CID_MPEG_VIDEO_HEADER_MODE,
			       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME,
			       BIT(V4L2_MPEG_VIDEO_HEADER_MODE_SEPARATE),
			       V4L2_MPEG_VIDEO_HEADER_MODE_JOINED_WITH_1ST_FRAME);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME, 0, 0, 0, 0);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_REPEAT_SEQ_HEADER, 0, 1, 1, 0);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MPEG_VIDEO_PREPEND_SPSPPS_TO_IDR, 0, 1, 1, 0);
	v4l2_ctrl_new_std(h, &ops, V4L2_CID_MIN_BUFFERS_FOR_OUTPUT, 1, 1, 1, 1);
	if (!h->error)
		v4l2_ctrl_handler_setup(h);
	atomic_set(&ctx->force_idr, 0);
	return h->error;
}
