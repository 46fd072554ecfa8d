// SPDX-License-Identifier: GPL-2.0
/* The module's parameters: the ways in which it can be told to fail, and its counters. */
#include <linux/delay.h>
#include <linux/module.h>

#include "lab_h264.h"

int lab_between = LAB_BETWEEN_PCM;
module_param_named(between, lab_between, int, 0644);
MODULE_PARM_DESC(between, "pictures between IDRs: 0 every macroblock, 1 the changed ones within the bitrate, 2 none");

static int fail_streamon;
module_param(fail_streamon, int, 0644);
MODULE_PARM_DESC(fail_streamon, "errno with which STREAMON of the coded queue fails (0: it doesn't)");

static int stall_after;
module_param(stall_after, int, 0644);
MODULE_PARM_DESC(stall_after, "frames of a stream after which no more come and nothing is said (0: never)");

static int error_after;
module_param(error_after, int, 0644);
MODULE_PARM_DESC(error_after, "frames of a stream after which both queues fail (0: never)");

static int low_level;
module_param(low_level, int, 0644);
MODULE_PARM_DESC(low_level, "a level too low for size and rate: 0 is ignored, 1 refused at STREAMON, 2 stalls");

static int least_level;
module_param(least_level, int, 0644);
MODULE_PARM_DESC(least_level, "level_idc below which a level is too low whatever size and rate are (0: none)");

static int hang;
module_param(hang, int, 0644);
MODULE_PARM_DESC(hang, "while 1, STREAMON of the coded queue and frames sleep in the kernel, and no signal wakes them");

int lab_deaf;
module_param_named(deaf, lab_deaf, int, 0644);
MODULE_PARM_DESC(deaf, "1: key frames asked for are counted and not made");

static int encoded;
module_param(encoded, int, 0444);
MODULE_PARM_DESC(encoded, "frames encoded since the module was loaded");

static int idrs;
module_param(idrs, int, 0444);
MODULE_PARM_DESC(idrs, "IDR pictures among them");

int lab_forced;
module_param_named(forced, lab_forced, int, 0444);
MODULE_PARM_DESC(forced, "times that a key frame was asked for");

int lab_bitrate;
module_param_named(bitrate, lab_bitrate, int, 0444);
MODULE_PARM_DESC(bitrate, "bitrate set last, in bit/s");

static bool level_too_low(const struct lab_ctx *ctx)
{
	return ctx->level < least_level ||
	       !lab_level_suffices(ctx->level, ctx->raw.width, ctx->raw.height, &ctx->interval);
}

/*
 * Sleeps until the parameter hang is 0. No signal wakes the calling program, and an ioctl keeps the device's lock meanwhile. A
 * driver whose firmware does not answer behaves the same.
 */
static void sleep_while_hung(void)
{
	while (READ_ONCE(hang))
		msleep(20);
}

/* lab_refusal - the error with which a stream's start is to fail, or 0. */
int lab_refusal(const struct lab_ctx *ctx)
{
	sleep_while_hung();
	if (fail_streamon)
		return -fail_streamon;
	return low_level == LAB_LOW_LEVEL_REFUSED && level_too_low(ctx) ? -ESRCH : 0;
}

/* lab_fails - whether the next frame is to fail, and both queues with it. */
bool lab_fails(const struct lab_ctx *ctx)
{
	sleep_while_hung();
	return error_after && ctx->stream.frames >= error_after;
}

/* lab_stalls - whether the next frame is never to come. */
bool lab_stalls(const struct lab_ctx *ctx)
{
	if (stall_after && ctx->stream.frames >= stall_after)
		return true;
	return low_level == LAB_LOW_LEVEL_STALLS && level_too_low(ctx);
}

/* lab_count - one more frame was encoded. */
void lab_count(bool idr)
{
	encoded++;
	idrs += idr;
}
