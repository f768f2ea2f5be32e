// SPDX-License-Identifier: MIT
#include "drm_device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <xf86drm.h>

#include "complain.h"
#include "format.h"

struct wanted_property {
	const char *name;
	uint32_t *id;
};

/* Fills in the ids of the wanted properties; -1 names the first that the object lacks. */
static int find_properties(const struct drm_device *device, uint32_t object, uint32_t type,
			   const struct wanted_property *wanted, unsigned int count)
{
	drmModeObjectProperties *properties;
	int ret = 0;

	properties = drmModeObjectGetProperties(device->fd, object, type);
	if (!properties) {
		complain("%s: properties of object %u: %s", device->path, object, strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < properties->count_props; i++) {
		drmModePropertyRes *property = drmModeGetProperty(device->fd, properties->props[i]);

		if (!property)
			continue;
		for (unsigned int j = 0; j < count; j++)
			if (!strcmp(property->name, wanted[j].name))
				*wanted[j].id = property->prop_id;
		drmModeFreeProperty(property);
	}
	for (unsigned int j = 0; !ret && j < count; j++) {
		if (*wanted[j].id)
			continue;
		complain("%s: object %u has no property '%s'", device->path, object,
			 wanted[j].name);
		ret = -1;
	}
	drmModeFreeObjectProperties(properties);
	return ret;
}

static int find_plane_properties(const struct drm_device *device, struct drm_plane_ids *plane)
{
	const struct wanted_property wanted[] = {
		{ "FB_ID", &plane->fb_id },   { "CRTC_ID", &plane->crtc_id },
		{ "SRC_X", &plane->src_x },   { "SRC_Y", &plane->src_y },
		{ "SRC_W", &plane->src_w },   { "SRC_H", &plane->src_h },
		{ "CRTC_X", &plane->crtc_x }, { "CRTC_Y", &plane->crtc_y },
		{ "CRTC_W", &plane->crtc_w }, { "CRTC_H", &plane->crtc_h },
	};

	if (!device->atomic)
		return 0;
	return find_properties(device, plane->id, DRM_MODE_OBJECT_PLANE, wanted,
			       sizeof(wanted) / sizeof(wanted[0]));
}

/* The value of an enum-like property, or -1 where the object does not have it. */
static int64_t property_value(const struct drm_device *device, uint32_t object, uint32_t type,
			      const char *name)
{
	drmModeObjectProperties *properties;
	int64_t value = -1;

	properties = drmModeObjectGetProperties(device->fd, object, type);
	for (uint32_t i = 0; properties && i < properties->count_props; i++) {
		drmModePropertyRes *property = drmModeGetProperty(device->fd, properties->props[i]);

		if (property && !strcmp(property->name, name))
			value = (int64_t)properties->prop_values[i];
		drmModeFreeProperty(property);
	}
	drmModeFreeObjectProperties(properties);
	return value;
}

static bool plane_has_format(const drmModePlane *plane, uint32_t fourcc)
{
	for (uint32_t i = 0; i < plane->count_formats; i++)
		if (plane->formats[i] == fourcc)
			return true;
	return false;
}

/*
 * Every plane of the MDP4 says that it can serve every CRTC, primaries included, so possible_crtcs
 * alone does not tell whose a primary is. The driver creates one for each CRTC and in their order:
 * take the one with the CRTC's index.
 */
static int find_primary(struct drm_device *device, const drmModePlaneRes *planes)
{
	uint32_t candidate = 0;
	unsigned int primaries = 0;

	for (uint32_t i = 0; i < planes->count_planes; i++) {
		drmModePlane *plane = drmModeGetPlane(device->fd, planes->planes[i]);
		int64_t type =
			property_value(device, planes->planes[i], DRM_MODE_OBJECT_PLANE, "type");

		if (plane && type == DRM_PLANE_TYPE_PRIMARY) {
			if (plane->possible_crtcs & (1u << device->crtc_index) &&
			    primaries <= device->crtc_index)
				candidate = plane->plane_id;
			primaries++;
		}
		drmModeFreePlane(plane);
	}
	if (!candidate) {
		complain("%s: CRTC %u has no primary plane", device->path, device->crtc_id);
		return -1;
	}
	device->primary.id = candidate;
	return find_plane_properties(device, &device->primary);
}

int drm_device_find_overlay(struct drm_device *device, uint32_t fourcc)
{
	drmModePlaneRes *planes = drmModeGetPlaneResources(device->fd);
	uint32_t found = 0;

	if (!planes) {
		complain("%s: planes: %s", device->path, strerror(errno));
		return -1;
	}
	for (uint32_t i = 0; i < planes->count_planes && !found; i++) {
		drmModePlane *plane = drmModeGetPlane(device->fd, planes->planes[i]);

		if (plane && plane->possible_crtcs & (1u << device->crtc_index) &&
		    plane_has_format(plane, fourcc) &&
		    property_value(device, plane->plane_id, DRM_MODE_OBJECT_PLANE, "type") ==
			    DRM_PLANE_TYPE_OVERLAY)
			found = plane->plane_id;
		drmModeFreePlane(plane);
	}
	drmModeFreePlaneResources(planes);
	if (!found)
		return 0;
	device->overlay = (struct drm_plane_ids){ .id = found };
	return find_plane_properties(device, &device->overlay) ? -1 : 1;
}

int drm_device_check_primary(const struct drm_device *device, uint32_t fourcc)
{
	drmModePlane *plane = drmModeGetPlane(device->fd, device->primary.id);
	char name[5];
	bool has;

	if (!plane) {
		complain("%s: plane %u: %s", device->path, device->primary.id, strerror(errno));
		return -1;
	}
	has = plane_has_format(plane, fourcc);
	format_name(fourcc, name);
	if (!has)
		complain("%s: primary plane %u does not take format %s (of the MDP4's pipes only "
			 "the overlays take YUV)",
			 device->path, device->primary.id, name);
	drmModeFreePlane(plane);
	return has ? 0 : -1;
}

static int use_connector(struct drm_device *device, const drmModeRes *resources,
			 const drmModeConnector *connector)
{
	const drmModeModeInfo *mode = &connector->modes[0];
	uint64_t pixels;

	for (int i = 0; i < connector->count_modes; i++)
		if (connector->modes[i].type & DRM_MODE_TYPE_PREFERRED) {
			mode = &connector->modes[i];
			break;
		}

	for (int i = 0; i < connector->count_encoders; i++) {
		drmModeEncoder *encoder = drmModeGetEncoder(device->fd, connector->encoders[i]);
		uint32_t possible = encoder ? encoder->possible_crtcs : 0;

		drmModeFreeEncoder(encoder);
		for (int crtc = 0; crtc < resources->count_crtcs; crtc++) {
			if (!(possible & (1u << crtc)))
				continue;
			device->connector_id = connector->connector_id;
			device->crtc_id = resources->crtcs[crtc];
			device->crtc_index = (unsigned int)crtc;
			device->mode = *mode;
			pixels = (uint64_t)mode->htotal * mode->vtotal;
			device->refresh_mhz =
				pixels ? (uint32_t)(mode->clock * 1000000ull / pixels) : 0;
			return 0;
		}
	}
	return -1;
}

static int find_output(struct drm_device *device, const drmModeRes *resources)
{
	for (int i = 0; i < resources->count_connectors; i++) {
		drmModeConnector *connector =
			drmModeGetConnector(device->fd, resources->connectors[i]);
		bool usable = connector && connector->connection == DRM_MODE_CONNECTED &&
			      connector->count_modes > 0 &&
			      !use_connector(device, resources, connector);

		drmModeFreeConnector(connector);
		if (usable)
			return 0;
	}
	complain("%s: none of %d connectors is connected, has a mode and a CRTC", device->path,
		 resources->count_connectors);
	return -1;
}

static int set_up(struct drm_device *device)
{
	const struct wanted_property of_connector[] = {
		{ "DPMS", &device->connector_dpms },
		{ "CRTC_ID", &device->connector_crtc_id },
	};
	const struct wanted_property of_crtc[] = {
		{ "MODE_ID", &device->crtc_mode_id },
		{ "ACTIVE", &device->crtc_active },
	};
	drmModeRes *resources;
	drmModePlaneRes *planes;
	int ret;

	/* Also the legacy API wants this: it is how the primary plane's formats are seen. */
	if (drmSetClientCap(device->fd, DRM_CLIENT_CAP_UNIVERSAL_PLANES, 1)) {
		complain("%s: no universal planes: %s", device->path, strerror(errno));
		return -1;
	}
	if (device->atomic && drmSetClientCap(device->fd, DRM_CLIENT_CAP_ATOMIC, 1)) {
		complain("%s: the driver has no atomic mode setting (%s); try --api legacy",
			 device->path, strerror(errno));
		return -1;
	}
	resources = drmModeGetResources(device->fd);
	if (!resources) {
		complain("%s: not a mode-setting device: %s", device->path, strerror(errno));
		return -1;
	}
	ret = find_output(device, resources);
	drmModeFreeResources(resources);
	if (ret)
		return -1;

	planes = drmModeGetPlaneResources(device->fd);
	if (!planes) {
		complain("%s: planes: %s", device->path, strerror(errno));
		return -1;
	}
	ret = find_primary(device, planes);
	drmModeFreePlaneResources(planes);
	if (ret)
		return -1;
	/* the kernel shows the properties of atomic mode setting to atomic clients only */
	if (find_properties(device, device->connector_id, DRM_MODE_OBJECT_CONNECTOR, of_connector,
			    device->atomic ? 2 : 1))
		return -1;
	if (!device->atomic)
		return 0;
	return find_properties(device, device->crtc_id, DRM_MODE_OBJECT_CRTC, of_crtc, 2);
}

int drm_device_open(struct drm_device *device, const char *path, bool atomic)
{
	*device = (struct drm_device){ .path = path, .atomic = atomic };
	device->fd = open(path, O_RDWR | O_CLOEXEC);
	if (device->fd < 0) {
		complain("%s: %s", path, strerror(errno));
		return -1;
	}
	if (set_up(device)) {
		drm_device_close(device);
		return -1;
	}
	return 0;
}

void drm_device_close(struct drm_device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}
