// SPDX-License-Identifier: MIT
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <drm_fourcc.h>
#include <xf86drm.h>

#include "complain.h"

struct wanted {
	const char *name;
	uint32_t *id;
};

static int find_properties(int fd, struct drm_plane_ids *plane)
{
	const struct wanted wanted[] = {
		{ "FB_ID", &plane->fb_id },   { "CRTC_ID", &plane->crtc_id },
		{ "SRC_X", &plane->src_x },   { "SRC_Y", &plane->src_y },
		{ "SRC_W", &plane->src_w },   { "SRC_H", &plane->src_h },
		{ "CRTC_X", &plane->crtc_x }, { "CRTC_Y", &plane->crtc_y },
		{ "CRTC_W", &plane->crtc_w }, { "CRTC_H", &plane->crtc_h },
	};
	drmModeObjectProperties *properties =
		drmModeObjectGetProperties(fd, plane->id, DRM_MODE_OBJECT_PLANE);
	unsigned int found = 0;

	for (uint32_t i = 0; properties && i < properties->count_props; i++) {
		drmModePropertyRes *property = drmModeGetProperty(fd, properties->props[i]);

		for (size_t j = 0; property && j < sizeof(wanted) / sizeof(wanted[0]); j++) {
			if (strcmp(property->name, wanted[j].name))
				continue;
			*wanted[j].id = property->prop_id;
			found++;
		}
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(properties);
	return found == sizeof(wanted) / sizeof(wanted[0]) ? 0 : -1;
}

static bool takes_xrgb(const drmModePlane *plane)
{
	for (uint32_t i = 0; i < plane->count_formats; i++)
		if (plane->formats[i] == DRM_FORMAT_XRGB8888)
			return true;
	return false;
}

/* All that the CRTC can show, its primary included. */
int hostile_find_planes(struct hostile *hostile)
{
	struct drm_device *master = &hostile->master;
	drmModePlaneRes *planes = drmModeGetPlaneResources(master->fd);

	for (uint32_t i = 0; planes && i < planes->count_planes; i++) {
		drmModePlane *plane = drmModeGetPlane(master->fd, planes->planes[i]);
		struct drm_plane_ids ids = { .id = planes->planes[i] };

		if (plane && plane->possible_crtcs & (1u << master->crtc_index) &&
		    takes_xrgb(plane) && hostile->plane_count < HOSTILE_PLANES &&
		    !find_properties(master->fd, &ids))
			hostile->planes[hostile->plane_count++] = ids;
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	if (hostile->plane_count)
		return 0;
	complain("%s: no plane of CRTC %u takes XR24", master->path, master->crtc_id);
	return -1;
}

/* A lock of this kind ends with its process, however that ends. */
static int lock(struct hostile *hostile, short type)
{
	struct flock whole = { .l_type = type, .l_whence = SEEK_SET };
	int ret;

	do
		ret = fcntl(hostile->display_lock, F_SETLKW, &whole);
	while (ret && errno == EINTR);
	return ret;
}

int hostile_lock_display(struct hostile *hostile, bool exclusively)
{
	return lock(hostile, exclusively ? F_WRLCK : F_RDLCK);
}

void hostile_unlock_display(struct hostile *hostile)
{
	lock(hostile, F_UNLCK);
}
