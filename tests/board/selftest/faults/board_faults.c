// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mistakes on purpose: does the debug flavour see each, and does the harness
 * see that it did?  Load with kind=, see the table at the end.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/of_platform.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#define FAULT_IOVA	0x10000000UL

static char *kind = "none";
module_param(kind, charp, 0444);
MODULE_PARM_DESC(kind, "the mistake to make");

static DEFINE_MUTEX(first);
static DEFINE_MUTEX(second);
static DEFINE_SPINLOCK(spin);

static int fault_warn(void)
{
	WARN(1, "on purpose\n");
	return 0;
}

static int fault_use_after_free(void)
{
	char *object = kmalloc(64, GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	kfree(object);
	pr_info("read %d from what was freed\n", READ_ONCE(object[8]));
	return 0;
}

static int fault_leak(void)
{
	/* Several, in case one's address stays behind in a register or on a stack. */
	for (int i = 0; i < 16; i++) {
		void *object = kmalloc(200, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(object);
	}
	return 0;
}

static int fault_lock_order(void)
{
	mutex_lock(&first);
	mutex_lock(&second);
	mutex_unlock(&second);
	mutex_unlock(&first);

	mutex_lock(&second);
	mutex_lock(&first);
	mutex_unlock(&first);
	mutex_unlock(&second);
	return 0;
}

static int fault_sleep_in_atomic(void)
{
	spin_lock(&spin);
	might_sleep();
	spin_unlock(&spin);
	return 0;
}

static int fault_list(void)
{
	LIST_HEAD(head);
	LIST_HEAD(entry);

	list_add(&entry, &head);
	list_add(&entry, &head);
	return 0;
}

/* A page that goes back to the allocator while an IOMMU domain still has it. */
static int fault_freed_while_mapped(void)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "qcom,mdp4");
	struct platform_device *display = of_find_device_by_node(np);
	struct iommu_domain *domain;
	struct page *page;
	int ret;

	of_node_put(np);
	if (!display)
		return -ENODEV;
	domain = iommu_paging_domain_alloc(&display->dev);
	put_device(&display->dev);
	if (IS_ERR(domain))
		return PTR_ERR(domain);
	page = alloc_page(GFP_KERNEL);
	if (!page) {
		iommu_domain_free(domain);
		return -ENOMEM;
	}
	ret = iommu_map(domain, FAULT_IOVA, page_to_phys(page), PAGE_SIZE, IOMMU_READ, GFP_KERNEL);
	__free_page(page);
	if (!ret)
		iommu_unmap(domain, FAULT_IOVA, PAGE_SIZE);
	iommu_domain_free(domain);
	return ret;
}

static const struct {
	const char *name;
	int (*make)(void);
} faults[] = {
	{ "warn", fault_warn },
	{ "use-after-free", fault_use_after_free },
	{ "leak", fault_leak },
	{ "lock-order", fault_lock_order },
	{ "sleep-in-atomic", fault_sleep_in_atomic },
	{ "list", fault_list },
	{ "freed-while-mapped", fault_freed_while_mapped },
};

static int __init board_faults_init(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (!strcmp(kind, faults[i].name))
			return faults[i].make();

	pr_err("kind=%s: unknown, wanted one of:\n", kind);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		pr_err("  %s\n", faults[i].name);
	return -EINVAL;
}
module_init(board_faults_init);

static void __exit board_faults_exit(void)
{
}
module_exit(board_faults_exit);

MODULE_DESCRIPTION("Mistakes on purpose, for testing the board");
MODULE_LICENSE("GPL");
