// SPDX-License-Identifier: GPL-2.0
/*
 * Cameras without hardware that can be told to misbehave: to refuse to start above a size, to take long to stop, and to give a frame
 * as seldom as a long exposure does. Each can be unplugged by itself, by unbinding its platform device.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <media/v4l2-device.h>
#include <media/v4l2-ioctl.h>
#include <media/videobuf2-v4l2.h>
#include <media/videobuf2-vmalloc.h>

#define NAME		"lab_camera"
#define DEVICES		2
#define RATE		15	/* frames per second that the cameras list */

static int refuse_errno;
module_param(refuse_errno, int, 0644);
MODULE_PARM_DESC(refuse_errno, "errno with which STREAMON fails for pictures larger than refuse_above (0: it doesn't)");

static int refuse_above;
module_param(refuse_above, int, 0644);
MODULE_PARM_DESC(refuse_above, "pixels of a picture above which STREAMON fails with refuse_errno");

static int period[DEVICES];
module_param_array(period, int, NULL, 0644);
MODULE_PARM_DESC(period, "ms from one frame to the next, of each camera (0: as it lists)");

static int stop_ms;
module_param(stop_ms, int, 0644);
MODULE_PARM_DESC(stop_ms, "ms that STREAMOFF takes");

static int frames[DEVICES];
module_param_array(frames, int, NULL, 0444);
MODULE_PARM_DESC(frames, "frames that each camera has given");

static const struct v4l2_frmsize_discrete sizes[] = { { 640, 360 }, { 480, 270 }, { 320, 180 } };

struct camera {
	struct v4l2_device v4l2;
	struct video_device video;
	struct vb2_queue queue;
	struct mutex lock;		/* serialises ioctls that are not the queue's */
	struct mutex queue_lock;
	spinlock_t buffers_lock;
	struct list_head buffers;	/* that the program has queued */
	struct delayed_work frame;
	struct v4l2_frmsize_discrete size;
	u32 sequence;
	int number;
};

struct camera_buffer {
	struct vb2_v4l2_buffer vb;
	struct list_head list;
};

static u32 image_bytes(const struct camera *c)
{
	return c->size.width * c->size.height * 2;	/* YUYV */
}

static unsigned long until_next(const struct camera *c)
{
	int ms = READ_ONCE(period[c->number]);

	return msecs_to_jiffies(ms ? ms : 1000 / RATE);
}

static struct camera_buffer *take(struct camera *c)
{
	struct camera_buffer *b;
	unsigned long flags;

	spin_lock_irqsave(&c->buffers_lock, flags);
	b = list_first_entry_or_null(&c->buffers, struct camera_buffer, list);
	if (b)
		list_del(&b->list);
	spin_unlock_irqrestore(&c->buffers_lock, flags);
	return b;
}

/* Grey bars that move to the left by two pixels with each frame. */
static void paint(const struct camera *c, u8 *out)
{
	u32 x, y, width = c->size.width;

	for (x = 0; x < width; x++) {
		out[2 * x] = 16 + (x + 2 * c->sequence) % 219;
		out[2 * x + 1] = 128;
	}
	for (y = 1; y < c->size.height; y++)
		memcpy(out + y * width * 2, out, width * 2);
}

static void give_frame(struct work_struct *work)
{
	struct camera *c = container_of(to_delayed_work(work), struct camera, frame);
	struct camera_buffer *b = take(c);

	if (b) {
		paint(c, vb2_plane_vaddr(&b->vb.vb2_buf, 0));
		vb2_set_plane_payload(&b->vb.vb2_buf, 0, image_bytes(c));
		b->vb.vb2_buf.timestamp = ktime_get_ns();
		b->vb.sequence = c->sequence;
		b->vb.field = V4L2_FIELD_NONE;
		vb2_buffer_done(&b->vb.vb2_buf, VB2_BUF_STATE_DONE);
		frames[c->number]++;
	}
	c->sequence++;
	schedule_delayed_work(&c->frame, until_next(c));
}

static int queue_setup(struct vb2_queue *q, unsigned int *buffers, unsigned int *planes, unsigned int plane_sizes[],
		       struct device *alloc_devs[])
{
	struct camera *c = vb2_get_drv_priv(q);

	if (*planes)
		return plane_sizes[0] < image_bytes(c) ? -EINVAL : 0;
	*planes = 1;
	plane_sizes[0] = image_bytes(c);
	return 0;
}

static int buf_prepare(struct vb2_buffer *vb)
{
	struct camera *c = vb2_get_drv_priv(vb->vb2_queue);

	return vb2_plane_size(vb, 0) < image_bytes(c) ? -EINVAL : 0;
}

static void buf_queue(struct vb2_buffer *vb)
{
	struct camera *c = vb2_get_drv_priv(vb->vb2_queue);
	struct camera_buffer *b = container_of(to_vb2_v4l2_buffer(vb), struct camera_buffer, vb);
	unsigned long flags;

	spin_lock_irqsave(&c->buffers_lock, flags);
	list_add_tail(&b->list, &c->buffers);
	spin_unlock_irqrestore(&c->buffers_lock, flags);
}

static void return_buffers(struct camera *c, enum vb2_buffer_state state)
{
	struct camera_buffer *b;

	while ((b = take(c)))
		vb2_buffer_done(&b->vb.vb2_buf, state);
}

static int start_streaming(struct vb2_queue *q, unsigned int count)
{
	struct camera *c = vb2_get_drv_priv(q);
	int err = READ_ONCE(refuse_errno);

	if (err && c->size.width * c->size.height > READ_ONCE(refuse_above)) {
		return_buffers(c, VB2_BUF_STATE_QUEUED);
		return -err;
	}
	c->sequence = 0;
	schedule_delayed_work(&c->frame, until_next(c));
	return 0;
}

static void stop_streaming(struct vb2_queue *q)
{
	struct camera *c = vb2_get_drv_priv(q);

	cancel_delayed_work_sync(&c->frame);
	msleep(READ_ONCE(stop_ms));
	return_buffers(c, VB2_BUF_STATE_ERROR);
}

static const struct vb2_ops queue_ops = {
	.queue_setup = queue_setup,
	.buf_prepare = buf_prepare,
	.buf_queue = buf_queue,
	.start_streaming = start_streaming,
	.stop_streaming = stop_streaming,
	.wait_prepare = vb2_ops_wait_prepare,
	.wait_finish = vb2_ops_wait_finish,
};

static int querycap(struct file *file, void *fh, struct v4l2_capability *cap)
{
	struct camera *c = video_drvdata(file);

	strscpy(cap->driver, NAME, sizeof(cap->driver));
	snprintf(cap->card, sizeof(cap->card), "Lab Camera %d", c->number);
	snprintf(cap->bus_info, sizeof(cap->bus_info), "platform:" NAME ".%d", c->number);
	return 0;
}

static int enum_input(struct file *file, void *fh, struct v4l2_input *in)
{
	if (in->index)
		return -EINVAL;
	in->type = V4L2_INPUT_TYPE_CAMERA;
	strscpy(in->name, "Camera", sizeof(in->name));
	return 0;
}

static int g_input(struct file *file, void *fh, unsigned int *i)
{
	*i = 0;
	return 0;
}

static int s_input(struct file *file, void *fh, unsigned int i)
{
	return i ? -EINVAL : 0;
}

static int enum_fmt(struct file *file, void *fh, struct v4l2_fmtdesc *f)
{
	if (f->index)
		return -EINVAL;
	f->pixelformat = V4L2_PIX_FMT_YUYV;
	return 0;
}

static int enum_framesizes(struct file *file, void *fh, struct v4l2_frmsizeenum *f)
{
	if (f->pixel_format != V4L2_PIX_FMT_YUYV || f->index >= ARRAY_SIZE(sizes))
		return -EINVAL;
	f->type = V4L2_FRMSIZE_TYPE_DISCRETE;
	f->discrete = sizes[f->index];
	return 0;
}

static int enum_frameintervals(struct file *file, void *fh, struct v4l2_frmivalenum *f)
{
	if (f->pixel_format != V4L2_PIX_FMT_YUYV || f->index)
		return -EINVAL;
	f->type = V4L2_FRMIVAL_TYPE_DISCRETE;
	f->discrete = (struct v4l2_fract){ 1, RATE };
	return 0;
}

static void describe(const struct v4l2_frmsize_discrete *size, struct v4l2_pix_format *p)
{
	*p = (struct v4l2_pix_format){
		.width = size->width, .height = size->height, .pixelformat = V4L2_PIX_FMT_YUYV, .field = V4L2_FIELD_NONE,
		.bytesperline = size->width * 2, .sizeimage = size->width * size->height * 2, .colorspace = V4L2_COLORSPACE_SRGB,
	};
}

static int g_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct camera *c = video_drvdata(file);

	describe(&c->size, &f->fmt.pix);
	return 0;
}

static const struct v4l2_frmsize_discrete *nearest(const struct v4l2_pix_format *p)
{
	return v4l2_find_nearest_size(sizes, ARRAY_SIZE(sizes), width, height, p->width, p->height);
}

static int try_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	describe(nearest(&f->fmt.pix), &f->fmt.pix);
	return 0;
}

static int s_fmt(struct file *file, void *fh, struct v4l2_format *f)
{
	struct camera *c = video_drvdata(file);

	if (vb2_is_busy(&c->queue))
		return -EBUSY;
	c->size = *nearest(&f->fmt.pix);
	describe(&c->size, &f->fmt.pix);
	return 0;
}

static int parm(struct file *file, void *fh, struct v4l2_streamparm *p)
{
	if (p->type != V4L2_BUF_TYPE_VIDEO_CAPTURE)
		return -EINVAL;
	p->parm.capture = (struct v4l2_captureparm){ .capability = V4L2_CAP_TIMEPERFRAME, .timeperframe = { 1, RATE }, .readbuffers = 2 };
	return 0;
}

static const struct v4l2_ioctl_ops ioctl_ops = {
	.vidioc_querycap = querycap,
	.vidioc_enum_input = enum_input,
	.vidioc_g_input = g_input,
	.vidioc_s_input = s_input,
	.vidioc_enum_fmt_vid_cap = enum_fmt,
	.vidioc_enum_framesizes = enum_framesizes,
	.vidioc_enum_frameintervals = enum_frameintervals,
	.vidioc_g_fmt_vid_cap = g_fmt,
	.vidioc_try_fmt_vid_cap = try_fmt,
	.vidioc_s_fmt_vid_cap = s_fmt,
	.vidioc_g_parm = parm,
	.vidioc_s_parm = parm,
	.vidioc_reqbufs = vb2_ioctl_reqbufs,
	.vidioc_create_bufs = vb2_ioctl_create_bufs,
	.vidioc_querybuf = vb2_ioctl_querybuf,
	.vidioc_qbuf = vb2_ioctl_qbuf,
	.vidioc_dqbuf = vb2_ioctl_dqbuf,
	.vidioc_expbuf = vb2_ioctl_expbuf,
	.vidioc_streamon = vb2_ioctl_streamon,
	.vidioc_streamoff = vb2_ioctl_streamoff,
};

static const struct v4l2_file_operations file_ops = {
	.owner = THIS_MODULE,
	.open = v4l2_fh_open,
	.release = vb2_fop_release,
	.poll = vb2_fop_poll,
	.unlocked_ioctl = video_ioctl2,
	.mmap = vb2_fop_mmap,
};

/* The last user is gone, perhaps long after the camera was unplugged. */
static void release(struct v4l2_device *v4l2)
{
	struct camera *c = container_of(v4l2, struct camera, v4l2);

	v4l2_device_unregister(v4l2);
	kfree(c);
}

static int init_queue(struct camera *c)
{
	struct vb2_queue *q = &c->queue;

	q->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
	q->io_modes = VB2_MMAP | VB2_USERPTR | VB2_DMABUF;
	q->drv_priv = c;
	q->buf_struct_size = sizeof(struct camera_buffer);
	q->ops = &queue_ops;
	q->mem_ops = &vb2_vmalloc_memops;
	q->timestamp_flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
	q->lock = &c->queue_lock;
	q->dev = c->v4l2.dev;
	return vb2_queue_init(q);
}

static int register_node(struct camera *c)
{
	struct video_device *v = &c->video;

	snprintf(v->name, sizeof(v->name), "Lab Camera %d", c->number);
	v->fops = &file_ops;
	v->ioctl_ops = &ioctl_ops;
	v->release = video_device_release_empty;
	v->v4l2_dev = &c->v4l2;
	v->lock = &c->lock;
	v->queue = &c->queue;
	v->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
	video_set_drvdata(v, c);
	return video_register_device(v, VFL_TYPE_VIDEO, -1);
}

static int probe(struct platform_device *pdev)
{
	struct camera *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int err;

	if (!c)
		return -ENOMEM;
	c->number = pdev->id;
	c->size = sizes[0];
	mutex_init(&c->lock);
	mutex_init(&c->queue_lock);
	spin_lock_init(&c->buffers_lock);
	INIT_LIST_HEAD(&c->buffers);
	INIT_DELAYED_WORK(&c->frame, give_frame);
	err = v4l2_device_register(&pdev->dev, &c->v4l2);
	if (err) {
		kfree(c);
		return err;
	}
	c->v4l2.release = release;
	platform_set_drvdata(pdev, c);
	err = init_queue(c);
	if (!err)
		err = register_node(c);
	if (err)
		v4l2_device_put(&c->v4l2);	/* releases the rest */
	return err;
}

static int remove(struct platform_device *pdev)
{
	struct camera *c = platform_get_drvdata(pdev);

	v4l2_device_disconnect(&c->v4l2);
	vb2_video_unregister_device(&c->video);
	v4l2_device_put(&c->v4l2);
	return 0;
}

static struct platform_driver driver = {
	.probe = probe,
	.remove = remove,
	.driver = { .name = NAME },
};

static struct platform_device *devices[DEVICES];

static void unregister_all(void)
{
	int i;

	for (i = 0; i < DEVICES; i++)
		platform_device_unregister(devices[i]);
	platform_driver_unregister(&driver);
}

static int __init lab_camera_init(void)
{
	int i, err = platform_driver_register(&driver);

	if (err)
		return err;
	for (i = 0; i < DEVICES; i++) {
		devices[i] = platform_device_register_simple(NAME, i, NULL, 0);
		if (IS_ERR(devices[i])) {
			err = PTR_ERR(devices[i]);
			devices[i] = NULL;
			unregister_all();
			return err;
		}
	}
	return 0;
}

static void __exit lab_camera_exit(void)
{
	unregister_all();
}

module_init(lab_camera_init);
module_exit(lab_camera_exit);

MODULE_DESCRIPTION("V4L2 cameras without hardware that can misbehave, for tests");
MODULE_LICENSE("GPL");
