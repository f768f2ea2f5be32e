// SPDX-License-Identifier: MIT
/* What a device calls itself: by its number, so that it is not opened, nor made master of. */
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>

#include <xf86drm.h>

#include "ctl.h"
#include "text.h"

void ctl_describe_device(const struct ctl *ctl, const char *card, char text[CTL_DEVICE_TEXT])
{
	char path[PATH_MAX], number[32] = "";
	unsigned int major, minor;
	drmDevicePtr device;
	FILE *file;

	snprintf(text, CTL_DEVICE_TEXT, "%s", card);
	snprintf(path, sizeof(path), "%s/class/drm/%s/dev", ctl->sysfs_root, card);
	file = fopen(path, "re");
	if (file && fgets(number, sizeof(number), file) &&
	    sscanf(number, "%u:%u", &major, &minor) == 2 &&
	    !drmGetDeviceFromDevId(makedev(major, minor), 0, &device)) {
		char **compatible = device->bustype == DRM_BUS_PLATFORM ?
					    device->deviceinfo.platform->compatible :
					    NULL;
		const char *node = device->available_nodes & 1 << DRM_NODE_PRIMARY ?
					   device->nodes[DRM_NODE_PRIMARY] :
					   NULL;

		if (compatible && compatible[0])
			snprintf(text, CTL_DEVICE_TEXT, "%s (%s%s%s)", card, compatible[0],
				 node ? ", " : "", node ? node : "");
		drmFreeDevice(&device);
	}
	if (file)
		fclose(file);
	text_printable(text, CTL_DEVICE_TEXT, text);
}
