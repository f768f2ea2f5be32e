// SPDX-License-Identifier: GPL-2.0-only
/*
 * The component behind MDP4's DTV output.
 *
 * msm's MDP4 driver dereferences an empty component list when it has an LVDS panel only, so the
 * board gives the DTV port an endpoint, and this is what sits there. It shows nothing. As a
 * component it is told exactly when a driver takes the display (before anything is programmed)
 * and when it has let go (after everything was torn down): the model's power switch. For the same
 * reason no driver can be using the display while this module is not there.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/component.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/platform_device.h>

#include "mdp4_model.h"

static struct mdp4_model *display;

/* What the driver left, judged, then forgotten as a power domain's loss would */
static bool power_cycle(struct mdp4_model *m)
{
	bool was_on;

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		was_on = m->shadow.on || mdp4_read(m, REG_LCDC_ENABLE);
		if (m->shadow.on)
			mdp4_latch_off(m);
		mdp4_regs_reset(m);
	}
	irq_set_irqchip_state(m->virq, IRQCHIP_STATE_PENDING, false);
	return was_on;
}

static int sink_bind(struct device *dev, struct device *master, void *data)
{
	struct mdp4_model *m = display;

	if (master != m->dev) {
		dev_err(dev, "bound to %s, expected %s\n", dev_name(master), dev_name(m->dev));
		return -EINVAL;
	}
	power_cycle(m);
	scoped_guard(raw_spinlock_irqsave, &m->lock)
		m->stats.binds++;
	return 0;
}

static void sink_unbind(struct device *dev, struct device *master, void *data)
{
	struct mdp4_model *m = display;
	bool was_on = power_cycle(m);

	scoped_guard(raw_spinlock_irqsave, &m->lock) {
		m->stats.unbinds++;
		m->stats.enabled_at_unbind += was_on;
	}
	if (was_on)
		pr_err("the driver left with the panel on (LCDC_ENABLE still set)\n");
}

static const struct component_ops sink_ops = {
	.bind = sink_bind,
	.unbind = sink_unbind,
};

static int sink_probe(struct platform_device *pdev)
{
	return component_add(&pdev->dev, &sink_ops);
}

static void sink_remove(struct platform_device *pdev)
{
	component_del(&pdev->dev, &sink_ops);
}

static const struct of_device_id sink_of_match[] = {
	{ .compatible = MDP4_SINK_COMPATIBLE },
	{ }
};
MODULE_DEVICE_TABLE(of, sink_of_match);

static struct platform_driver sink_driver = {
	.probe = sink_probe,
	.remove = sink_remove,
	.driver = {
		.name = "mdp4-model-sink",
		.of_match_table = sink_of_match,
	},
};

/**
 * mdp4_sink_present - whether the board has the component's node
 */
bool mdp4_sink_present(void)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, MDP4_SINK_COMPATIBLE);

	of_node_put(np);
	return np;
}

/**
 * mdp4_sink_register - offer the component: from now on the driver can bind
 * @m: the display
 *
 * Return: 0 or a negative error.
 */
int mdp4_sink_register(struct mdp4_model *m)
{
	display = m;
	return platform_driver_register(&sink_driver);
}

/**
 * mdp4_sink_unregister - take the component away: the driver shuts down before this returns
 */
void mdp4_sink_unregister(void)
{
	platform_driver_unregister(&sink_driver);
}
