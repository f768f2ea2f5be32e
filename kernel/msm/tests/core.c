// SPDX-License-Identifier: GPL-2.0-only
/*
 * The core under test, compiled a second time for the test module: DRM_MSM does
 * not build for UML, and exports nothing.  Some of its calls go through hooks.h.
 */

#include <linux/module.h>

#define HOOK_THE_CORE
#include "hooks.h"

#include "../msm_scanout_cache.c"
#include "../msm_scanout_policy.c"
#include "../msm_scanout_reuse.c"

MODULE_DESCRIPTION("KUnit tests for the MSM scanout mapping cache");
MODULE_LICENSE("GPL");
