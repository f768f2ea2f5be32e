/* SPDX-License-Identifier: MIT */
#ifndef DRM_DEVICE_H
#define DRM_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include <xf86drmMode.h>

/*
 * The display: one open node, its first connected connector with the preferred mode, a CRTC that
 * can drive it, that CRTC's primary plane and, where asked for, an overlay plane with the wanted
 * format. Property ids are looked up once, those of atomic mode setting only for an atomic client.
 */

struct drm_plane_ids {
	uint32_t id;
	uint32_t fb_id, crtc_id;
	uint32_t src_x, src_y, src_w, src_h;
	uint32_t crtc_x, crtc_y, crtc_w, crtc_h;
};

struct drm_device {
	int fd;
	const char *path;
	bool atomic;
	uint32_t connector_id, crtc_id;
	unsigned int crtc_index;
	drmModeModeInfo mode;
	/** @refresh_mhz: of the mode, in millihertz */
	uint32_t refresh_mhz;
	uint32_t connector_crtc_id, connector_dpms;
	uint32_t crtc_mode_id, crtc_active;
	struct drm_plane_ids primary;
	/** @overlay: id 0 until drm_device_find_overlay() found one */
	struct drm_plane_ids overlay;
};

/* -1 after one line on stderr. @atomic: ask for, and insist on, atomic mode setting. */
int drm_device_open(struct drm_device *device, const char *path, bool atomic);
void drm_device_close(struct drm_device *device);

/* 0 where no overlay plane of the CRTC takes @fourcc; -1 after one line on stderr. */
int drm_device_find_overlay(struct drm_device *device, uint32_t fourcc);
/* -1 and one line on stderr where the primary plane does not take @fourcc. */
int drm_device_check_primary(const struct drm_device *device, uint32_t fourcc);

#endif
