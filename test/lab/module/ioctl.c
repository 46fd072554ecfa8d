// SPDX-License-Identifier: GPL-2.0
/* Formats, frame interval and the stop command. */
#include <linux/kernel.h>

#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>

#include "lab_h264.h"

static const struct lab_format formats[] = {
	{ V4L2_PIX_FMT_YUV420, 1, false },
	{ V4L2_PIX_FMT_NV12, 2, false },
	{ V4L2_PIX_FMT_YVU420, 1, true },
	{ V4L2_PIX_FMT_NV21, 2, true },
};

static const struct lab_format *find_format(u32 fourcc)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(formats); i++)
		if (formats[i].fourcc == fourcc)
			return &formats[i];
	return &formats[0];
}

static int querycap(struct file *file, void *priv, struct v4l2_capability *cap)
{
	strscpy(cap->driver, LAB_NAME, sizeof(cap->driver));
	strscpy(cap->card, "Lab H.264 encoder", sizeof(cap->card));
	strscpy(cap->bus_info, "platform:" LAB_NAME, sizeof(cap->bus_info));
	return 0;
}

static int enum_raw(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	if (f->index >= ARRAY_SIZE(formats))
		return -EINVAL;
	f->pixelformat = formats[f->index].fourcc;
	return 0;
}

static int enum_coded(struct file *file, void *priv, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	f->pixelformat = V4L2_PIX_FMT_H264;
	return 0;
}

static int enum_sizes(struct file *file, void *priv, struct v4l2_frmsizeenum *f)
{
	if (f->index || (f->pixel_format != V4L2_PIX_FMT_H264 && find_format(f->pixel_format)->fourcc != f->pixel_format))
		return -EINVAL;
	f->type = V4L2_FRMSIZE_TYPE_STEPWISE;
	f->stepwise = (struct v4l2_frmsize_stepwise){
		LAB_MIN_SIZE, LAB_MAX_SIZE, 2, LAB_MIN_SIZE, LAB_MAX_SIZE, 2,
	};
	return 0;
}

/* Sizes outside the limits become the nearest inside, odd ones even. */
static void bound(struct v4l2_pix_format_mplane *p)
{
	p->width = clamp_t(u32, round_up(p->width, 2), LAB_MIN_SIZE, LAB_MAX_SIZE);
	p->height = clamp_t(u32, round_up(p->height, 2), LAB_MIN_SIZE, LAB_MAX_SIZE);
	p->field = V4L2_FIELD_NONE;
	p->num_planes = 1;
	p->flags = 0;
	memset(p->reserved, 0, sizeof(p->reserved));
	memset(p->plane_fmt[0].reserved, 0, sizeof(p->plane_fmt[0].reserved));
}

static void complete_raw(struct v4l2_pix_format_mplane *p)
{
	struct v4l2_plane_pix_format *plane = &p->plane_fmt[0];

	bound(p);
	p->pixelformat = find_format(p->pixelformat)->fourcc;
	plane->bytesperline = round_up(p->width, LAB_STRIDE);
	plane->sizeimage = plane->bytesperline * p->height * 3 / 2;
}

static void complete_coded(struct v4l2_pix_format_mplane *p)
{
	struct v4l2_plane_pix_format *plane = &p->plane_fmt[0];

	bound(p);
	p->pixelformat = V4L2_PIX_FMT_H264;
	plane->bytesperline = 0;
	plane->sizeimage = lab_max_frame_bytes(p->width, p->height);
}

static void copy_colorimetry(struct v4l2_pix_format_mplane *to, const struct v4l2_pix_format_mplane *from)
{
	to->colorspace = from->colorspace;
	to->ycbcr_enc = from->ycbcr_enc;
	to->quantization = from->quantization;
	to->xfer_func = from->xfer_func;
}

void lab_formats_init(struct lab_ctx *ctx)
{
	ctx->raw = (struct v4l2_pix_format_mplane){
		.width = 640, .height = 480, .pixelformat = formats[0].fourcc, .colorspace = V4L2_COLORSPACE_REC709,
	};
	ctx->coded = ctx->raw;
	ctx->format = &formats[0];
	ctx->interval = (struct v4l2_fract){ 1, 30 };
	complete_raw(&ctx->raw);
	complete_coded(&ctx->coded);
}

static int get_raw(struct file *file, void *priv, struct v4l2_format *f)
{
	f->fmt.pix_mp = lab_ctx_of(file)->raw;
	return 0;
}

static int get_coded(struct file *file, void *priv, struct v4l2_format *f)
{
	f->fmt.pix_mp = lab_ctx_of(file)->coded;
	return 0;
}

static int try_raw(struct file *file, void *priv, struct v4l2_format *f)
{
	complete_raw(&f->fmt.pix_mp);
	if (f->fmt.pix_mp.colorspace == V4L2_COLORSPACE_DEFAULT)
		f->fmt.pix_mp.colorspace = V4L2_COLORSPACE_REC709;
	return 0;
}

static int try_coded(struct file *file, void *priv, struct v4l2_format *f)
{
	complete_coded(&f->fmt.pix_mp);
	copy_colorimetry(&f->fmt.pix_mp, &lab_ctx_of(file)->raw);
	return 0;
}

/* The raw format decides the stream's size. */
static int set_raw(struct file *file, void *priv, struct v4l2_format *f)
{
	struct lab_ctx *ctx = lab_ctx_of(file);

	if (vb2_is_busy(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)))
		return -EBUSY;
	try_raw(file, priv, f);
	ctx->raw = f->fmt.pix_mp;
	ctx->format = find_format(ctx->raw.pixelformat);
	if (!vb2_is_busy(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx))) {
		ctx->coded.width = ctx->raw.width;
		ctx->coded.height = ctx->raw.height;
		complete_coded(&ctx->coded);
	}
	copy_colorimetry(&ctx->coded, &ctx->raw);
	return 0;
}

static int set_coded(struct file *file, void *priv, struct v4l2_format *f)
{
	struct lab_ctx *ctx = lab_ctx_of(file);

	if (vb2_is_busy(v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx)))
		return -EBUSY;
	try_coded(file, priv, f);
	ctx->coded = f->fmt.pix_mp;
	return 0;
}

static int get_interval(struct file *file, void *priv, struct v4l2_streamparm *p)
{
	if (!V4L2_TYPE_IS_OUTPUT(p->type))
		return -EINVAL;
	p->parm.output.capability = V4L2_CAP_TIMEPERFRAME;
	p->parm.output.timeperframe = lab_ctx_of(file)->interval;
	return 0;
}

static int set_interval(struct file *file, void *priv, struct v4l2_streamparm *p)
{
	struct v4l2_fract *wish = &p->parm.output.timeperframe;

	if (V4L2_TYPE_IS_OUTPUT(p->type) && wish->numerator && wish->denominator)
		lab_ctx_of(file)->interval = *wish;
	return get_interval(file, priv, p);
}

static int subscribe(struct v4l2_fh *fh, const struct v4l2_event_subscription *sub)
{
	if (sub->type == V4L2_EVENT_EOS)
		return v4l2_event_subscribe(fh, sub, 0, NULL);
	return v4l2_ctrl_subscribe_event(fh, sub);
}

static int encoder_cmd(struct file *file, void *priv, struct v4l2_encoder_cmd *cmd)
{
	struct lab_ctx *ctx = lab_ctx_of(file);
	struct vb2_queue *coded = v4l2_m2m_get_dst_vq(ctx->fh.m2m_ctx);
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };
	int err = v4l2_m2m_ioctl_try_encoder_cmd(file, priv, cmd);

	if (err || !vb2_is_streaming(coded) || !vb2_is_streaming(v4l2_m2m_get_src_vq(ctx->fh.m2m_ctx)))
		return err;
	err = v4l2_m2m_ioctl_encoder_cmd(file, priv, cmd);
	if (err || !v4l2_m2m_has_stopped(ctx->fh.m2m_ctx))
		return err;
	if (cmd->cmd == V4L2_ENC_CMD_STOP)
		v4l2_event_queue_fh(&ctx->fh, &eos);
	return 0;
}

const struct v4l2_ioctl_ops lab_ioctl_ops = {
	.vidioc_querycap = querycap,

	.vidioc_enum_fmt_vid_out = enum_raw,
	.vidioc_g_fmt_vid_out_mplane = get_raw,
	.vidioc_try_fmt_vid_out_mplane = try_raw,
	.vidioc_s_fmt_vid_out_mplane = set_raw,

	.vidioc_enum_fmt_vid_cap = enum_coded,
	.vidioc_g_fmt_vid_cap_mplane = get_coded,
	.vidioc_try_fmt_vid_cap_mplane = try_coded,
	.vidioc_s_fmt_vid_cap_mplane = set_coded,

	.vidioc_enum_framesizes = enum_sizes,
	.vidioc_g_parm = get_interval,
	.vidioc_s_parm = set_interval,

	.vidioc_reqbufs = v4l2_m2m_ioctl_reqbufs,
	.vidioc_querybuf = v4l2_m2m_ioctl_querybuf,
	.vidioc_qbuf = v4l2_m2m_ioctl_qbuf,
	.vidioc_dqbuf = v4l2_m2m_ioctl_dqbuf,
	.vidioc_prepare_buf = v4l2_m2m_ioctl_prepare_buf,
	.vidioc_create_bufs = v4l2_m2m_ioctl_create_bufs,
	.vidioc_expbuf = v4l2_m2m_ioctl_expbuf,
	.vidioc_streamon = v4l2_m2m_ioctl_streamon,
	.vidioc_streamoff = v4l2_m2m_ioctl_streamoff,

	.vidioc_try_encoder_cmd = v4l2_m2m_ioctl_try_encoder_cmd,
	.vidioc_encoder_cmd = encoder_cmd,
	.vidioc_subscribe_event = subscribe,
	.vidioc_unsubscribe_event = v4l2_event_unsubscribe,
};
