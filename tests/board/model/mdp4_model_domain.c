// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looking into the display's IOMMU domain without ever holding on to it.
 *
 * The domain belongs to the driver, which attaches it when it binds, detaches and frees it when
 * it unbinds. It can only be freed after the detach, and the detach takes the IOMMU group's mutex.
 * iommu_group_for_each_dev() calls back with that mutex held: inside the callback the attached
 * domain stays, outside of it no pointer to it exists.
 *
 * Page tables below the domain are another matter, unmapping frees them at any time. A correct
 * driver unmaps a buffer only after the shadow stopped naming it, so who looks up pages does so
 * under the model's lock with the generation checked: the shadow cannot move on meanwhile, hence
 * nothing that it names is unmapped meanwhile.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/pfn.h>

#include "mdp4_model.h"

struct domain_call {
	struct device *dev;
	int (*fn)(struct iommu_domain *domain, void *data);
	void *data;
};

static int call_with_domain(struct device *dev, void *data)
{
	struct domain_call *call = data;
	struct iommu_domain *domain;

	if (dev != call->dev)
		return 0;
	domain = iommu_driver_get_domain_for_dev(dev);
	/* Only the driver's own; the default domain, there when it is not, proves nothing */
	if (domain && domain->type != IOMMU_DOMAIN_UNMANAGED)
		domain = NULL;
	return call->fn(domain, call->data);
}

/**
 * mdp4_with_domain - call a function with the display's paging domain, or NULL
 * @m: the display
 * @fn: called once, may sleep; the domain is valid until it returns
 * @data: for @fn
 *
 * Attaching and detaching wait for @fn.
 *
 * Return: what @fn returned.
 */
int mdp4_with_domain(struct mdp4_model *m, int (*fn)(struct iommu_domain *domain, void *data),
		     void *data)
{
	struct domain_call call = { .dev = m->dev, .fn = fn, .data = data };
	struct iommu_group *group = iommu_group_get(m->dev);
	int ret;

	if (!group)
		return fn(NULL, data);
	ret = iommu_group_for_each_dev(group, &call, call_with_domain);
	iommu_group_put(group);
	return ret;
}

static bool page_is_freed(phys_addr_t phys)
{
	struct page *page;

	if (!pfn_valid(PHYS_PFN(phys)))
		return false;
	page = pfn_to_page(PHYS_PFN(phys));
	/* A tail page of an allocation that is no folio also has no count: ask the allocator */
	return !folio_ref_count(page_folio(page)) && is_free_buddy_page(page);
}

/**
 * mdp4_translate - look a page up as the display would
 * @m: the display
 * @domain: from mdp4_with_domain()
 * @iova: any address in the page
 * @kind: what is wrong, when it cannot be fetched
 *
 * Return: the physical address of @iova, or 0.
 */
phys_addr_t mdp4_translate(struct mdp4_model *m, struct iommu_domain *domain, u64 iova,
			   enum mdp4_fault_kind *kind)
{
	phys_addr_t phys;

	lockdep_assert_held(&m->lock);

	if (!domain) {
		*kind = MDP4_FAULT_NO_DOMAIN;
		return 0;
	}
	if (m->poison_iova && PFN_DOWN(iova) == PFN_DOWN(m->poison_iova)) {
		*kind = MDP4_FAULT_POISONED;
		return 0;
	}
	phys = iommu_iova_to_phys(domain, iova);
	if (!phys) {
		*kind = MDP4_FAULT_UNMAPPED;
		return 0;
	}
	if (page_is_freed(phys)) {
		*kind = MDP4_FAULT_FREED;
		return 0;
	}
	return phys;
}
