// SPDX-License-Identifier: GPL-2.0-only
/*
 * The panel's timing generator and the interrupt.
 *
 * Vsyncs lie on an absolute grid whose pitch is exactly that of the programmed mode,
 * VSYNC_PERIOD / pixel clock. A late vsync does not move the grid; one that is late by whole
 * frames leaves those frames out, it never makes up for them in a burst.
 *
 * While the panel is off there are no vsyncs; the timer only looks whether LCDC_ENABLE was set,
 * because a write to a RAM register tells nobody.
 *
 * The interrupt. The driver acknowledges by writing INTR_CLEAR, and its writes cannot be trapped:
 * of two writes between two looks only the second is seen, and the driver's handler does write
 * twice (the bits it read, then the bits it newly enables, often none). So acknowledging cannot
 * be what re-arms the interrupt. Instead the line is edge triggered, and a vsync is one edge:
 *
 *  - nothing lost: each vsync sets its bits, always the same ones, and raises the line if one of
 *    the *new* bits is enabled. INTR_CLEAR is consumed at the start of the next vsync, before that
 *    one sets its bits, so a bit set between the handler's read of INTR_STATUS and its write of
 *    INTR_CLEAR is still there for the second interrupt that the second edge causes.
 *  - nothing spurious: the line is raised here only, so bits that stay in INTR_STATUS because
 *    their INTR_CLEAR was overwritten do nothing until the vsync that would set them again.
 *  - newly enabled bits wait for the next vsync, as on hardware, where the driver clears a bit
 *    before it enables it.
 *
 * The timer runs on the CPU that gets the interrupt, so that CPU takes it before it runs anything
 * else. On an emulator that may stop one CPU for milliseconds this matters: a commit that slips
 * in between would be taken for completed by the handler of a vsync that came before it.
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/smp.h>

#include "mdp4_model.h"

#define VSYNC_BITS	(IRQ_PRIMARY_VSYNC | IRQ_DMA_P_DONE | IRQ_OVERLAY0_DONE)
/* How soon a panel that was switched on begins its first frame */
#define OFF_POLL_NS	(5 * NSEC_PER_MSEC)
/* How long the driver waits for a flush, less the granularity of its clock */
#define DRIVER_WAIT_NS	(40 * NSEC_PER_MSEC)
#define PATIENCE_MIN_NS	(5 * NSEC_PER_MSEC)
/* A reader may hold a vsync back for so long, in such steps */
#define HOLD_MAX_NS	(25 * NSEC_PER_MSEC)
#define HOLD_STEP_NS	NSEC_PER_MSEC

static void set_period(struct mdp4_model *m)
{
	u64 ticks = mdp4_read(m, REG_LCDC_VSYNC_PERIOD);

	if (m->refresh_mhz) {
		m->period_num = (u64)MSEC_PER_SEC * NSEC_PER_SEC;
		m->period_den = m->refresh_mhz;
	} else {
		m->period_num = ticks * NSEC_PER_SEC;
		m->period_den = m->pixel_hz;
	}
	/* 1 Hz to 1 kHz: garbage in the register must not eat the machine, nor stop the panel */
	m->period_num = clamp(m->period_num, m->period_den * NSEC_PER_MSEC,
			      m->period_den * NSEC_PER_SEC);
	m->period_rem = 0;
	m->period_stale = false;
}

static void next_frame(struct mdp4_model *m)
{
	u64 ns, rem;

	ns = div64_u64_rem(m->period_num + m->period_rem, m->period_den, &rem);
	m->period_rem = rem;
	m->vsync_due = ktime_add_ns(m->vsync_due, ns);
}

/**
 * mdp4_period_ns - length of a frame, rounded down
 * @m: the display
 *
 * Return: nanoseconds, 0 if the panel was never on.
 */
u64 mdp4_period_ns(const struct mdp4_model *m)
{
	return m->period_den ? div64_u64(m->period_num, m->period_den) : 0;
}

/**
 * mdp4_patience_ns - how late a vsync can be before the driver may have given up on it
 * @m: the display
 *
 * A flush may have been written at the beginning of the frame.
 *
 * Return: nanoseconds.
 */
u64 mdp4_patience_ns(const struct mdp4_model *m)
{
	u64 period_ns = mdp4_period_ns(m);

	return period_ns + PATIENCE_MIN_NS < DRIVER_WAIT_NS ? DRIVER_WAIT_NS - period_ns :
							      PATIENCE_MIN_NS;
}

static bool interrupt_wanted(struct mdp4_model *m)
{
	u32 clear = xchg((u32 *)(m->regs + REG_INTR_CLEAR), 0);
	u32 status = mdp4_read(m, REG_INTR_STATUS);

	mdp4_write(m, REG_INTR_STATUS, (status & ~clear) | VSYNC_BITS);
	return mdp4_read(m, REG_INTR_ENABLE) & VSYNC_BITS;
}

static bool still_held(struct mdp4_model *m, ktime_t now)
{
	if (!m->hold) {
		m->held_since = 0;
		return false;
	}
	if (!m->held_since) {
		m->held_since = now;
		m->stats.vsyncs_held++;
	}
	return ktime_sub(now, m->held_since) < min(HOLD_MAX_NS, mdp4_patience_ns(m));
}

static void count_lateness(struct mdp4_model *m, ktime_t now)
{
	u64 late = ktime_to_ns(ktime_sub(now, m->vsync_due));

	m->stats.vsync_late_max_ns = max(m->stats.vsync_late_max_ns, late);
	m->stats.vsync_late_sum_ns += late;
}

static void schedule_next(struct mdp4_model *m, ktime_t now)
{
	if (m->period_stale) {
		set_period(m);
		m->vsync_due = now;
	}
	next_frame(m);
	while (ktime_compare(m->vsync_due, now) <= 0) {
		m->stats.vsyncs_missed++;
		next_frame(m);
	}
}

/* The end of a frame: returns whether to interrupt */
static bool vsync(struct mdp4_model *m, ktime_t now)
{
	m->stats.vsyncs++;
	count_lateness(m, now);
	m->vsync_at = now;
	m->vsync_jiffies = get_jiffies_64();
	if (mdp4_read(m, REG_LCDC_ENABLE) & 1) {
		mdp4_latch(m);
		schedule_next(m, now);
	} else {
		/* The driver waits for this vsync to know that the panel has stopped reading */
		mdp4_latch_off(m);
	}
	if (m->shadow.mixer)
		m->walks_wanted++;
	else
		m->stats.vsyncs_blank++;
	return interrupt_wanted(m);
}

static ktime_t advance(struct mdp4_model *m, ktime_t now, bool *is_vsync, bool *interrupt)
{
	guard(raw_spinlock_irqsave)(&m->lock);

	if (m->shadow.on) {
		if (still_held(m, now))
			return ktime_add_ns(now, HOLD_STEP_NS);
		*is_vsync = true;
		*interrupt = vsync(m, now);
		m->stats.interrupts += *interrupt;
	} else if (mdp4_read(m, REG_LCDC_ENABLE) & 1) {
		mdp4_latch_on(m);
		set_period(m);
		m->vsync_due = now;
		next_frame(m);
	}
	return m->shadow.on ? m->vsync_due : ktime_add_ns(now, OFF_POLL_NS);
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct mdp4_model *m = container_of(timer, struct mdp4_model, timer);
	bool is_vsync = false, interrupt = false;
	ktime_t next;

	next = advance(m, ktime_get(), &is_vsync, &interrupt);
	/* After the latch: whoever is interrupted finds his flush done */
	if (interrupt)
		irq_set_irqchip_state(m->virq, IRQCHIP_STATE_PENDING, true);
	if (is_vsync) {
		wake_up_all(&m->vsync_wq);
		wake_up(&m->walk_wq);
	}
	hrtimer_set_expires(timer, next);
	return HRTIMER_RESTART;
}

static int start_here(void *data)
{
	struct mdp4_model *m = data;

	hrtimer_start(&m->timer, ktime_add_ns(ktime_get(), OFF_POLL_NS),
		      HRTIMER_MODE_ABS_PINNED);
	return 0;
}

/**
 * mdp4_vsync_start - begin to look for the panel being switched on
 * @m: the display
 *
 * Return: 0 or a negative error.
 */
int mdp4_vsync_start(struct mdp4_model *m)
{
	hrtimer_setup(&m->timer, on_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED);
	/* Where the interrupt controller sends an interrupt that nobody has moved */
	return smp_call_on_cpu(cpumask_first(cpu_online_mask), start_here, m, false);
}

/**
 * mdp4_vsync_stop - stop the panel and the looking
 * @m: the display
 */
void mdp4_vsync_stop(struct mdp4_model *m)
{
	hrtimer_cancel(&m->timer);
	guard(raw_spinlock_irqsave)(&m->lock);
	if (m->shadow.on)
		mdp4_latch_off(m);
}
