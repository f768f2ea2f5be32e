// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core under test, compiled a second time for the test module: DRM_MSM does
 * not build for UML, and exports nothing.
 */

#include <linux/module.h>

#include "../msm_scanout_cache.c"

MODULE_DESCRIPTION("KUnit tests for the MSM scanout mapping cache");
MODULE_LICENSE("GPL");
