// SPDX-License-Identifier: GPL-2.0
/* The device and its queues. */
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <media/media-device.h>
#include <media/v4l2-event.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-vmalloc.h>

#include "lab_h264.h"

static int queue_setup(struct vb2_queue *q, unsigned int *buffers, unsigned int *planes, unsigned int sizes[],
		       struct device *alloc_devs[])
{
	struct lab_ctx *ctx = vb2_get_drv_priv(q);
	u32 size = (V4L2_TYPE_IS_OUTPUT(q->type) ? &ctx->raw : &ctx->coded)->plane_fmt[0].sizeimage;

	if (*planes)
		return *planes != 1 || sizes[0] < size ? -EINVAL : 0;
	*planes = 1;
	sizes[0] = size;
	return 0;
}

static int buf_out_validate(struct vb2_buffer *vb)
{
	to_vb2_v4l2_buffer(vb)->field = V4L2_FIELD_NONE;
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	struct lab_ctx *ctx = vb2_get_drv_priv(vb->vb2_queue);

	if (!V4L2_TYPE_IS_OUTPUT(vb->type)) {
		vb2_set_plane_payload(vb, 0, 0);
		return vb2_plane_size(vb, 0) < ctx->coded.plane_fmt[0].sizeimage ? -EINVAL : 0;
	}
	return vb2_plane_size(vb, 0) < ctx->raw.plane_fmt[0].sizeimage ? -EINVAL : 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct lab_ctx *ctx = vb2_get_drv_priv(vb->vb2_queue);
	struct vb2_v4l2_buffer *vbuf = to_vb2_v4l2_buffer(vb);
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };

	if (V4L2_TYPE_IS_CAPTURE(vb->type) && vb2_is_streaming(vb->vb2_queue) &&
	    v4l2_m2m_dst_buf_is_last(ctx->fh.m2m_ctx)) {
		v4l2_m2m_last_buffer_done(ctx->fh.m2m_ctx, vbuf);
		v4l2_event_queue_fh(&ctx->fh, &eos);
		return;
	}
	v4l2_m2m_buf_queue(ctx->fh.m2m_ctx, vbuf);
}

static void return_buffers(struct lab_ctx *ctx, u32 type, enum vb2_buffer_state state)
{
	struct vb2_v4l2_buffer *vbuf;

	while ((vbuf = V4L2_TYPE_IS_OUTPUT(type) ? v4l2_m2m_src_buf_remove(ctx->fh.m2m_ctx) :
						   v4l2_m2m_dst_buf_remove(ctx->fh.m2m_ctx)))
		v4l2_m2m_buf_done(vbuf, state);
}

static int start_coded(struct lab_ctx *ctx)
{
	int err = lab_refusal(ctx);

	if (err)
		return err;
	return lab_stream_start(&ctx->stream, ctx->raw.width, ctx->raw.height);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	struct lab_ctx *ctx = vb2_get_drv_priv(q);
	int err;

	v4l2_m2m_update_start_streaming_state(ctx->fh.m2m_ctx, q);
	if (V4L2_TYPE_IS_OUTPUT(q->type))
		return 0;
	err = start_coded(ctx);
	if (err)
		return_buffers(ctx, q->type, VB2_BUF_STATE_QUEUED);
	return err;
}

static void stop_streaming(struct vb2_queue *q)
{
	struct lab_ctx *ctx = vb2_get_drv_priv(q);
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };

	return_buffers(ctx, q->type, VB2_BUF_STATE_ERROR);
	v4l2_m2m_update_stop_streaming_state(ctx->fh.m2m_ctx, q);
	if (V4L2_TYPE_IS_CAPTURE(q->type))
		lab_stream_stop(&ctx->stream);
	else if (v4l2_m2m_has_stopped(ctx->fh.m2m_ctx))
		v4l2_event_queue_fh(&ctx->fh, &eos);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_out_validate = buf_out_validate,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int init_queue(struct lab_ctx *ctx, struct vb2_queue *q, u32 type)
{
	q->type = type;
	q->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	q->drv_priv = ctx;
	q->buf_struct_size = sizeof(struct v4l2_m2m_buffer);
	q->ops = &queue_ops;
	q->mem_ops = &vb2_vmalloc_memops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_COPY;
	q->lock = &ctx->dev->lock;
	q->dev = ctx->dev->v4l2.dev;
	return vb2_queue_init(q);
}

static int init_queues(void *priv, struct vb2_queue *src, struct vb2_queue *dst)
{
	int err = init_queue(priv, src, V4L2_BUF_TYPE_VIDEO_OUTPUT_MPLANE);

	return err ? err : init_queue(priv, dst, V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE);
}

static void describe(const struct lab_ctx *ctx, const u8 *memory, struct lab_picture *p)
{
	u32 stride = ctx->raw.plane_fmt[0].bytesperline, height = ctx->raw.height;
	const u8 *first = memory + stride * height;
	const u8 *second = first + (ctx->format->step == 2 ? 1 : stride / 2 * (height / 2));

	*p = (struct lab_picture){
		.width = ctx->raw.width, .height = height, .luma = memory, .luma_stride = stride,
		.chroma_stride = ctx->format->step == 2 ? stride : stride / 2, .step = ctx->format->step,
		.cb = ctx->format->swapped ? second : first, .cr = ctx->format->swapped ? first : second,
	};
}

/* Encodes src into dst. A frame of a picture that is shorter than its format says is an error of this frame alone. */
static enum vb2_buffer_state encode(struct lab_ctx *ctx, struct vb2_v4l2_buffer *src, struct vb2_v4l2_buffer *dst)
{
	const u8 *in = vb2_plane_vaddr(&src->vb2_buf, 0);
	size_t size = vb2_plane_size(&dst->vb2_buf, 0), used;
	u8 *out = vb2_plane_vaddr(&dst->vb2_buf, 0);
	struct lab_picture picture;
	bool idr;

	if (!in || !out || vb2_get_plane_payload(&src->vb2_buf, 0) < ctx->raw.plane_fmt[0].sizeimage)
		return VB2_BUF_STATE_ERROR;
	describe(ctx, in, &picture);
	used = lab_encode(ctx, &picture, out, size, &idr);
	if (used > size)
		return VB2_BUF_STATE_ERROR;
	vb2_set_plane_payload(&dst->vb2_buf, 0, used);
	dst->flags &= ~(V4L2_BUF_FLAG_KEYFRAME | V4L2_BUF_FLAG_PFRAME | V4L2_BUF_FLAG_BFRAME);
	dst->flags |= idr ? V4L2_BUF_FLAG_KEYFRAME : V4L2_BUF_FLAG_PFRAME;
	lab_count(idr);
	return VB2_BUF_STATE_DONE;
}

static void device_run(void *priv)
{
	struct lab_ctx *ctx = priv;
	struct v4l2_m2m_ctx *m2m = ctx->fh.m2m_ctx;
	struct vb2_v4l2_buffer *src = v4l2_m2m_src_buf_remove(m2m), *dst = v4l2_m2m_dst_buf_remove(m2m);
	static const struct v4l2_event eos = { .type = V4L2_EVENT_EOS };
	bool fails = lab_fails(ctx);
	enum vb2_buffer_state state = VB2_BUF_STATE_ERROR;

	v4l2_m2m_buf_copy_metadata(src, dst, true);
	if (fails) {
		vb2_queue_error(v4l2_m2m_get_src_vq(m2m));
		vb2_queue_error(v4l2_m2m_get_dst_vq(m2m));
	} else {
		state = encode(ctx, src, dst);
	}
	if (v4l2_m2m_is_last_draining_src_buf(m2m, src)) {
		dst->flags |= V4L2_BUF_FLAG_LAST;
		v4l2_m2m_mark_stopped(m2m);
		v4l2_event_queue_fh(&ctx->fh, &eos);
	}
	v4l2_m2m_buf_done(src, state);
	v4l2_m2m_buf_done(dst, state);
	v4l2_m2m_job_finish(ctx->dev->m2m, m2m);
}

/* A stalled encoder never becomes ready, so that it can still be stopped. */
static int job_ready(void *priv)
{
	return !lab_stalls(priv);
}

static const struct v4l2_m2m_ops m2m_ops = {
	.device_run = device_run,
	.job_ready = job_ready,
};

static int lab_open(struct file *file)
{
	struct lab_dev *dev = video_drvdata(file);
	struct lab_ctx *ctx = kzalloc(sizeof(*ctx), GFP_KERNEL);
	int err;

	if (!ctx)
		return -ENOMEM;
	ctx->dev = dev;
	lab_formats_init(ctx);
	err = lab_controls_init(ctx);
	if (err)
		goto free;
	v4l2_fh_init(&ctx->fh, &dev->video);
	ctx->fh.ctrl_handler = &ctx->ctrls;
	ctx->fh.m2m_ctx = v4l2_m2m_ctx_init(dev->m2m, ctx, init_queues);
	if (IS_ERR(ctx->fh.m2m_ctx)) {
		err = PTR_ERR(ctx->fh.m2m_ctx);
		v4l2_fh_exit(&ctx->fh);
		goto free;
	}
	file->private_data = &ctx->fh;
	v4l2_fh_add(&ctx->fh);
	return 0;
free:
	v4l2_ctrl_handler_free(&ctx->ctrls);
	kfree(ctx);
	return err;
}

static int lab_release(struct file *file)
{
	struct lab_ctx *ctx = lab_ctx_of(file);

	v4l2_fh_del(&ctx->fh);
	mutex_lock(&ctx->dev->lock);
	v4l2_m2m_ctx_release(ctx->fh.m2m_ctx);
	mutex_unlock(&ctx->dev->lock);
	v4l2_fh_exit(&ctx->fh);
	v4l2_ctrl_handler_free(&ctx->ctrls);
	kfree(ctx);
	return 0;
}

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = lab_open,
	.release = lab_release,
	.poll = v4l2_m2m_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = v4l2_m2m_fop_mmap,
};

/* The last user is gone, perhaps long after the device was unbound. */
static void release_device(struct v4l2_device *v4l2)
{
	struct lab_dev *dev = container_of(v4l2, struct lab_dev, v4l2);

	media_device_cleanup(&dev->media);
	v4l2_m2m_release(dev->m2m);
	v4l2_device_unregister(v4l2);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

static void init_video(struct lab_dev *dev)
{
	struct video_device *v = &dev->video;

	strscpy(v->name, "lab-h264-encoder", sizeof(v->name));
	v->fops = &file_ops;
	v->ioctl_ops = &lab_ioctl_ops;
	v->release = video_device_release_empty;
	v->vfl_dir = VFL_DIR_M2M;
	v->v4l2_dev = &dev->v4l2;
	v->lock = &dev->lock;
	v->device_caps = V4L2_CAP_VIDEO_M2M_MPLANE | V4L2_CAP_STREAMING;
	video_set_drvdata(v, dev);
}

static void init_media(struct lab_dev *dev, struct device *parent)
{
	dev->media.dev = parent;
	strscpy(dev->media.model, LAB_NAME, sizeof(dev->media.model));
	strscpy(dev->media.bus_info, "platform:" LAB_NAME, sizeof(dev->media.bus_info));
	media_device_init(&dev->media);
	dev->v4l2.mdev = &dev->media;
}

static int register_nodes(struct lab_dev *dev)
{
	int err = video_register_device(&dev->video, VFL_TYPE_VIDEO, -1);

	if (err)
		return err;
	err = v4l2_m2m_register_media_controller(dev->m2m, &dev->video, MEDIA_ENT_F_PROC_VIDEO_ENCODER);
	if (err)
		goto unregister_video;
	err = media_device_register(&dev->media);
	if (!err)
		return 0;
	v4l2_m2m_unregister_media_controller(dev->m2m);
unregister_video:
	video_unregister_device(&dev->video);
	return err;
}

static int probe(struct platform_device *pdev)
{
	struct lab_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int err;

	if (!dev)
		return -ENOMEM;
	mutex_init(&dev->lock);
	dev->m2m = v4l2_m2m_init(&m2m_ops);
	if (IS_ERR(dev->m2m)) {
		err = PTR_ERR(dev->m2m);
		goto free;
	}
	init_media(dev, &pdev->dev);
	err = v4l2_device_register(&pdev->dev, &dev->v4l2);
	if (err)
		goto release_m2m;
	dev->v4l2.release = release_device;
	platform_set_drvdata(pdev, dev);
	init_video(dev);
	err = register_nodes(dev);
	if (err)
		v4l2_device_put(&dev->v4l2);	/* releases the rest */
	return err;
release_m2m:
	media_device_cleanup(&dev->media);
	v4l2_m2m_release(dev->m2m);
free:
	kfree(dev);
	return err;
}

static int remove(struct platform_device *pdev)
{
	struct lab_dev *dev = platform_get_drvdata(pdev);

	media_device_unregister(&dev->media);
	v4l2_m2m_unregister_media_controller(dev->m2m);
	v4l2_device_disconnect(&dev->v4l2);
	video_unregister_device(&dev->video);
	v4l2_device_put(&dev->v4l2);
	return 0;
}

static struct platform_driver driver = {
	.probe = probe,
	.remove = remove,
	.driver = { .name = LAB_NAME },
};

static struct platform_device *device;

static int __init lab_init(void)
{
	int err = platform_driver_register(&driver);

	if (err)
		return err;
	device = platform_device_register_simple(LAB_NAME, 0, NULL, 0);
	if (!IS_ERR(device))
		return 0;
	platform_driver_unregister(&driver);
	return PTR_ERR(device);
}

static void __exit lab_exit(void)
{
	platform_device_unregister(device);
	platform_driver_unregister(&driver);
}

module_init(lab_init);
module_exit(lab_exit);

MODULE_DESCRIPTION("A V4L2 memory-to-memory H.264 encoder without hardware, for tests");
MODULE_LICENSE("GPL");
