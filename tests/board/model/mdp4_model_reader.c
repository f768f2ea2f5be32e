// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus master that reads memory as the display would: through the SMMU, its TLB included.
 *
 * The display itself reads nothing, it is RAM and a timer. But QEMU has PCI devices that do DMA,
 * and one of them is as good as a display: once it is attached to the display's domain it walks the
 * same page tables under the same ASID, so it also meets what is cached there. It is the LSI
 * 53C895A, a SCSI controller with a processor of its own whose "memory move" copies anything
 * anywhere. Of the devices that QEMU has it is the one that has finished when the register write
 * that starts it returns (edu, made for such tests, takes a tenth of a second for a transfer). So
 * it can be used in the very instant that is to be judged, with interrupts off.
 *
 * A read that faults returns zeros, as does one of a black picture. What tells them apart is the
 * SMMU: for each fault its event queue moves on.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/of.h>
#include <linux/of_address.h>
#include <linux/pci.h>

#include "mdp4_model.h"

#define LSI_VENDOR		0x1000
#define LSI_53C895A		0x0012
#define LSI_REGS_BAR		1
#define LSI_DSP			0x2c	/* writing its last byte starts the script */
#define LSI_MEMORY_MOVE		0xc0000000U	/* + bytes; then source, destination */
#define LSI_INTERRUPT		0x98080000U	/* always; ends the script */

#define SMMU_PAGE1		SZ_64K
#define SMMU_EVENTQ_BASE	0xa0
#define SMMU_EVENTQ_PROD	0xa8	/* in page 1 */
#define SMMU_EVENTQ_CONS	0xac	/* in page 1 */
#define SMMU_EVENTQ_LOG2SIZE	GENMASK(4, 0)

/*
 * Where the script and its results are in the display's address space: the one page that msm never
 * gives to a buffer, its address space begins behind it.
 */
#define SCRIPT_IOVA		0

#define DONE			0x600dda7aU

/**
 * struct mdp4_script - the page that the reader and we share
 */
struct mdp4_script {
	/** @move: of the memory that is asked for to @result */
	__le32 move[3];
	/** @finish: move of @token to @done */
	__le32 finish[3];
	__le32 interrupt[2];
	__le32 token;
	__le32 done;
	__le64 result;
};

#define SCRIPT_ADDRESS(member) \
	cpu_to_le32(SCRIPT_IOVA + offsetof(struct mdp4_script, member))

/**
 * mdp4_reader_find - find the devices
 * @r: what they are found for
 *
 * Return: 0 or a negative error, after a line in the log.
 */
int mdp4_reader_find(struct mdp4_reader *r)
{
	struct device_node *np = of_find_compatible_node(NULL, NULL, "arm,smmu-v3");
	struct resource smmu;
	int ret;

	ret = np ? of_address_to_resource(np, 0, &smmu) : -ENODEV;
	of_node_put(np);
	if (ret) {
		pr_err("no reader: no usable device tree node compatible with \"arm,smmu-v3\": %d\n",
		       ret);
		return ret;
	}
	r->pdev = pci_get_device(LSI_VENDOR, LSI_53C895A, NULL);
	if (!r->pdev || r->pdev->dev.driver) {
		pr_err("no reader: wanted a PCI device %04x:%04x (QEMU: -device lsi53c895a) that no driver has\n",
		       LSI_VENDOR, LSI_53C895A);
		ret = -ENODEV;
		goto err_pdev;
	}
	ret = pci_enable_device(r->pdev);
	if (ret)
		goto err_pdev;
	pci_set_master(r->pdev);
	ret = -ENOMEM;
	r->regs = pci_iomap(r->pdev, LSI_REGS_BAR, 0);
	if (!r->regs)
		goto err_enabled;
	r->smmu = ioremap(smmu.start, 2 * SMMU_PAGE1);
	if (!r->smmu)
		goto err_regs;
	r->script = (void *)get_zeroed_page(GFP_KERNEL);
	if (!r->script)
		goto err_smmu;
	return 0;

err_smmu:
	iounmap(r->smmu);
err_regs:
	pci_iounmap(r->pdev, r->regs);
err_enabled:
	pci_disable_device(r->pdev);
err_pdev:
	pci_dev_put(r->pdev);
	r->pdev = NULL;
	return ret;
}

/**
 * mdp4_reader_release - undo mdp4_reader_find()
 * @r: the reader
 */
void mdp4_reader_release(struct mdp4_reader *r)
{
	if (!r->pdev)
		return;
	free_page((unsigned long)r->script);
	iounmap(r->smmu);
	pci_iounmap(r->pdev, r->regs);
	pci_clear_master(r->pdev);
	pci_disable_device(r->pdev);
	pci_dev_put(r->pdev);
	r->pdev = NULL;
}

/**
 * mdp4_reader_attach - put the reader into the display's address space
 * @r: the reader
 * @domain: the display's; must not be freed before mdp4_reader_detach()
 *
 * Return: 0 or a negative error, after a line in the log.
 */
int mdp4_reader_attach(struct mdp4_reader *r, struct iommu_domain *domain)
{
	struct mdp4_script *s = r->script;
	int ret;

	ret = iommu_attach_device(domain, &r->pdev->dev);
	if (ret) {
		pr_err("cannot attach %s to the display's domain: %d\n", pci_name(r->pdev), ret);
		return ret;
	}
	ret = iommu_map(domain, SCRIPT_IOVA, virt_to_phys(s), PAGE_SIZE,
			IOMMU_READ | IOMMU_WRITE, GFP_KERNEL);
	if (ret) {
		pr_err("cannot map the reader's page at %#x: %d\n", SCRIPT_IOVA, ret);
		iommu_detach_device(domain, &r->pdev->dev);
		return ret;
	}
	s->move[0] = cpu_to_le32(LSI_MEMORY_MOVE | sizeof(s->result));
	s->move[2] = SCRIPT_ADDRESS(result);
	s->finish[0] = cpu_to_le32(LSI_MEMORY_MOVE | sizeof(s->done));
	s->finish[1] = SCRIPT_ADDRESS(token);
	s->finish[2] = SCRIPT_ADDRESS(done);
	s->interrupt[0] = cpu_to_le32(LSI_INTERRUPT);
	s->token = cpu_to_le32(DONE);
	r->queue_size = BIT(readl(r->smmu + SMMU_EVENTQ_BASE) & SMMU_EVENTQ_LOG2SIZE);
	r->domain = domain;
	return 0;
}

/**
 * mdp4_reader_detach - take the reader out again
 * @r: the reader
 */
void mdp4_reader_detach(struct mdp4_reader *r)
{
	if (!r->domain)
		return;
	iommu_unmap(r->domain, SCRIPT_IOVA, PAGE_SIZE);
	iommu_detach_device(r->domain, &r->pdev->dev);
	r->domain = NULL;
}

static u32 event_register(const struct mdp4_reader *r, unsigned int reg)
{
	/* The position, and one more bit that turns over with it */
	return readl(r->smmu + SMMU_PAGE1 + reg) & (2 * r->queue_size - 1);
}

/**
 * mdp4_reader_read - read eight bytes as the display would
 * @r: the reader, attached; one caller at a time
 * @iova: where, a multiple of eight
 * @bytes: what was read; zeros after a fault
 *
 * In any context. What the SMMU's TLB has is used, and what is used goes into the TLB.
 *
 * Return: 1 if it faulted, 0 if not, or a negative error when nobody can tell.
 */
int mdp4_reader_read(struct mdp4_reader *r, u64 iova, u64 *bytes)
{
	struct mdp4_script *s = r->script;
	u32 before;

	if (upper_32_bits(iova))
		return -ERANGE;
	s->move[1] = cpu_to_le32(iova);
	s->result = ~0ULL;
	s->done = 0;
	before = event_register(r, SMMU_EVENTQ_PROD);
	writel(SCRIPT_IOVA, r->regs + LSI_DSP);
	if (READ_ONCE(s->done) != cpu_to_le32(DONE))
		return -EIO;
	*bytes = le64_to_cpu(READ_ONCE(s->result));
	if (event_register(r, SMMU_EVENTQ_PROD) != before)
		return 1;
	/* A full queue takes no more events: nobody can tell */
	if ((before ^ event_register(r, SMMU_EVENTQ_CONS)) == r->queue_size)
		return -EBUSY;
	return 0;
}
