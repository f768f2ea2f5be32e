// SPDX-License-Identifier: MIT
#include "exporter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <msm_drm.h>
#include <xf86drm.h>
#include <xf86drmMode.h>

#include "complain.h"

#define UDMABUF_PATH "/dev/udmabuf"
#define HEAP_PATH "/dev/dma_heap/system"
/* Any width does: a dumb buffer is only memory here, the layout has its own pitch. */
#define DUMB_WIDTH_PIXELS 1024
#define DUMB_BITS_PER_PIXEL 32

static int failed(const char *what, size_t size_bytes)
{
	complain("%s (%zu bytes): %s", what, size_bytes, strerror(errno));
	return -1;
}

static int allocate_dumb(int drm_fd, struct memory *memory)
{
	uint32_t row_bytes = DUMB_WIDTH_PIXELS * DUMB_BITS_PER_PIXEL / 8;
	uint32_t rows = (uint32_t)((memory->size_bytes + row_bytes - 1) / row_bytes);
	uint32_t pitch;
	uint64_t size;

	if (drmModeCreateDumbBuffer(drm_fd, DUMB_WIDTH_PIXELS, rows, DUMB_BITS_PER_PIXEL, 0,
				    &memory->handle, &pitch, &size))
		return failed("DRM_IOCTL_MODE_CREATE_DUMB", memory->size_bytes);
	memory->size_bytes = (size_t)size;
	return 0;
}

static int allocate_msm(int drm_fd, struct memory *memory)
{
	struct drm_msm_gem_new request = {
		.size = memory->size_bytes,
		.flags = MSM_BO_WC | MSM_BO_SCANOUT,
	};

	if (drmIoctl(drm_fd, DRM_IOCTL_MSM_GEM_NEW, &request))
		return failed("DRM_IOCTL_MSM_GEM_NEW", memory->size_bytes);
	memory->handle = request.handle;
	return 0;
}

/*
 * Pages come one after the other from the same run of memory: ask for them in an order in which
 * neighbours do not follow each other. With one process and one order, that is the same every time.
 */
static int scatter_pages(int memfd, size_t size_bytes)
{
	const size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE), stride = 7;
	char *address = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);

	if (address == MAP_FAILED)
		return failed("mmap of a memfd", size_bytes);
	for (size_t first = 0; first < stride; first++) {
		for (size_t page = first; page < size_bytes / page_bytes; page += stride)
			*(volatile char *)(address + page * page_bytes) = 0;
	}
	if (munmap(address, size_bytes))
		return failed("munmap of a memfd", size_bytes);
	return 0;
}

/* The memfd may go at once: the dma-buf holds its pages. */
static int export_memfd(int memfd, int udmabuf, struct memory *memory)
{
	struct udmabuf_create request = {
		.memfd = (uint32_t)memfd,
		.flags = UDMABUF_FLAGS_CLOEXEC,
		.size = memory->size_bytes,
	};

	if (ftruncate(memfd, (off_t)memory->size_bytes))
		return failed("ftruncate of a memfd", memory->size_bytes);
	if (memory->exporter == EXPORTER_SCATTER && scatter_pages(memfd, memory->size_bytes))
		return -1;
	if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return failed("sealing a memfd", memory->size_bytes);
	memory->dmabuf_fd = ioctl(udmabuf, UDMABUF_CREATE, &request);
	if (memory->dmabuf_fd < 0)
		return failed("UDMABUF_CREATE", memory->size_bytes);
	return 0;
}

static int allocate_udmabuf(struct memory *memory)
{
	int memfd, udmabuf, ret;

	udmabuf = open(UDMABUF_PATH, O_RDWR | O_CLOEXEC);
	if (udmabuf < 0) {
		complain("%s: %s (CONFIG_UDMABUF; run as root)", UDMABUF_PATH, strerror(errno));
		return -1;
	}
	memfd = memfd_create("scanout-flip", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	if (memfd < 0)
		ret = failed("memfd_create", memory->size_bytes);
	else
		ret = export_memfd(memfd, udmabuf, memory);
	if (memfd >= 0)
		close(memfd);
	close(udmabuf);
	return ret;
}

static int allocate_heap(struct memory *memory)
{
	struct dma_heap_allocation_data request = {
		.len = memory->size_bytes,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open(HEAP_PATH, O_RDONLY | O_CLOEXEC), ret = 0;

	if (heap < 0) {
		complain("%s: %s (CONFIG_DMABUF_HEAPS_SYSTEM; run as root)", HEAP_PATH,
			 strerror(errno));
		return -1;
	}
	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &request))
		ret = failed("DMA_HEAP_IOCTL_ALLOC", memory->size_bytes);
	else
		memory->dmabuf_fd = (int)request.fd;
	close(heap);
	return ret;
}

int exporter_allocate(int drm_fd, struct memory *memory)
{
	memory->handle = 0;
	memory->dmabuf_fd = -1;
	switch (memory->exporter) {
	case EXPORTER_DUMB:
		return allocate_dumb(drm_fd, memory);
	case EXPORTER_MSM:
		return allocate_msm(drm_fd, memory);
	case EXPORTER_UDMABUF:
	case EXPORTER_SCATTER:
		return allocate_udmabuf(memory);
	case EXPORTER_HEAP:
		return allocate_heap(memory);
	}
	return -1;
}

/*
 * Where the node of the display maps a native object; MAP_DUMB answers for GEM_NEW's objects as
 * well.
 */
static int map_offset(int drm_fd, const struct memory *memory, off_t *offset)
{
	struct drm_mode_map_dumb request = { .handle = memory->handle };

	if (drmIoctl(drm_fd, DRM_IOCTL_MODE_MAP_DUMB, &request))
		return failed("DRM_IOCTL_MODE_MAP_DUMB", memory->size_bytes);
	*offset = (off_t)request.offset;
	return 0;
}

static int sync_dmabuf(const struct memory *memory, uint64_t flags)
{
	struct dma_buf_sync sync = { .flags = DMA_BUF_SYNC_WRITE | flags };

	if (memory->dmabuf_fd < 0)
		return 0;
	if (drmIoctl(memory->dmabuf_fd, DMA_BUF_IOCTL_SYNC, &sync))
		return failed("DMA_BUF_IOCTL_SYNC", memory->size_bytes);
	return 0;
}

void *exporter_map(int drm_fd, const struct memory *memory)
{
	int fd = memory->dmabuf_fd >= 0 ? memory->dmabuf_fd : drm_fd;
	off_t offset = 0;
	void *address;

	if (memory->dmabuf_fd < 0 && map_offset(drm_fd, memory, &offset))
		return MAP_FAILED;
	address = mmap(NULL, memory->size_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (address == MAP_FAILED) {
		failed("mmap of a buffer", memory->size_bytes);
	} else if (sync_dmabuf(memory, DMA_BUF_SYNC_START)) {
		munmap(address, memory->size_bytes);
		address = MAP_FAILED;
	}
	return address;
}

int exporter_unmap(const struct memory *memory, void *address)
{
	int ret = sync_dmabuf(memory, DMA_BUF_SYNC_END);

	if (munmap(address, memory->size_bytes))
		return failed("munmap of a buffer", memory->size_bytes);
	return ret;
}
