/* SPDX-License-Identifier: GPL-2.0-only */
#if !defined(_MSM_SCANOUT_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _MSM_SCANOUT_TRACE_H_

#include <linux/tracepoint.h>

#include <drm/drm_device.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>

#include "msm_scanout_cache.h"

#undef TRACE_SYSTEM
#define TRACE_SYSTEM msm_scanout
#define TRACE_INCLUDE_FILE msm_scanout_trace

TRACE_DEFINE_ENUM(MSM_SCANOUT_UNMAPPED);
TRACE_DEFINE_ENUM(MSM_SCANOUT_MAPPING);
TRACE_DEFINE_ENUM(MSM_SCANOUT_ACTIVE);
TRACE_DEFINE_ENUM(MSM_SCANOUT_IDLE);
TRACE_DEFINE_ENUM(MSM_SCANOUT_QUARANTINED);

TRACE_DEFINE_ENUM(MSM_SCANOUT_BOUND);
TRACE_DEFINE_ENUM(MSM_SCANOUT_TRIM);
TRACE_DEFINE_ENUM(MSM_SCANOUT_AGE);
TRACE_DEFINE_ENUM(MSM_SCANOUT_WINDOW);
TRACE_DEFINE_ENUM(MSM_SCANOUT_MEMORY);
TRACE_DEFINE_ENUM(MSM_SCANOUT_FREE);
TRACE_DEFINE_ENUM(MSM_SCANOUT_DROP);
TRACE_DEFINE_ENUM(MSM_SCANOUT_DRAIN);

#define show_scanout_state(state) __print_symbolic(state,	\
	{ MSM_SCANOUT_UNMAPPED,		"unmapped" },		\
	{ MSM_SCANOUT_MAPPING,		"mapping" },		\
	{ MSM_SCANOUT_ACTIVE,		"active" },		\
	{ MSM_SCANOUT_IDLE,		"idle" },		\
	{ MSM_SCANOUT_QUARANTINED,	"quarantined" })

#define show_scanout_reason(reason) __print_symbolic(reason,	\
	{ MSM_SCANOUT_BOUND,		"bound" },		\
	{ MSM_SCANOUT_TRIM,		"trim" },		\
	{ MSM_SCANOUT_AGE,		"age" },		\
	{ MSM_SCANOUT_WINDOW,		"window" },		\
	{ MSM_SCANOUT_MEMORY,		"memory" },		\
	{ MSM_SCANOUT_FREE,		"free" },		\
	{ MSM_SCANOUT_DROP,		"drop" },		\
	{ MSM_SCANOUT_DRAIN,		"drain" })

DECLARE_EVENT_CLASS(msm_scanout,
		    TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			     u64 bytes, u64 arg),
		    TP_ARGS(obj, iova, bytes, arg),
		    TP_STRUCT__entry(__field(const void *, obj)
				     __field(unsigned int, card)
				     __field(u64, iova)
				     __field(u64, bytes)
				     __field(u64, arg)),
		    TP_fast_assign(__entry->obj = obj;
				   __entry->card = obj->dev->primary->index;
				   __entry->iova = iova;
				   __entry->bytes = bytes;
				   __entry->arg = arg;),
		    TP_printk("card%u obj=%p iova=%08llx bytes=%llu arg=%llu",
			      __entry->card, __entry->obj, __entry->iova,
			      __entry->bytes, __entry->arg));

DEFINE_EVENT_PRINT(msm_scanout, msm_scanout_hit,
		   TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			    u64 bytes, u64 arg),
		   TP_ARGS(obj, iova, bytes, arg),
		   TP_printk("card%u obj=%p iova=%08llx bytes=%llu was=%s",
			     __entry->card, __entry->obj, __entry->iova,
			     __entry->bytes, show_scanout_state(__entry->arg)));

DEFINE_EVENT(msm_scanout, msm_scanout_miss,
	     TP_PROTO(const struct drm_gem_object *obj, u64 iova,
		      u64 bytes, u64 arg),
	     TP_ARGS(obj, iova, bytes, arg));

DEFINE_EVENT_PRINT(msm_scanout, msm_scanout_map,
		   TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			    u64 bytes, u64 arg),
		   TP_ARGS(obj, iova, bytes, arg),
		   TP_printk("card%u obj=%p iova=%08llx bytes=%llu ns=%llu",
			     __entry->card, __entry->obj, __entry->iova,
			     __entry->bytes, __entry->arg));

DEFINE_EVENT_PRINT(msm_scanout, msm_scanout_idle,
		   TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			    u64 bytes, u64 arg),
		   TP_ARGS(obj, iova, bytes, arg),
		   TP_printk("card%u obj=%p iova=%08llx bytes=%llu idle_bytes=%llu",
			     __entry->card, __entry->obj, __entry->iova,
			     __entry->bytes, __entry->arg));

DEFINE_EVENT_PRINT(msm_scanout, msm_scanout_evict,
		   TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			    u64 bytes, u64 arg),
		   TP_ARGS(obj, iova, bytes, arg),
		   TP_printk("card%u obj=%p iova=%08llx bytes=%llu reason=%s",
			     __entry->card, __entry->obj, __entry->iova,
			     __entry->bytes, show_scanout_reason(__entry->arg)));

DEFINE_EVENT_PRINT(msm_scanout, msm_scanout_linger,
		   TP_PROTO(const struct drm_gem_object *obj, u64 iova,
			    u64 bytes, u64 arg),
		   TP_ARGS(obj, iova, bytes, arg),
		   TP_printk("card%u obj=%p iova=%08llx bytes=%llu %s",
			     __entry->card, __entry->obj, __entry->iova,
			     __entry->bytes, __entry->arg ? "start" : "end"));

TRACE_EVENT(msm_scanout_unmap_batch,
	    TP_PROTO(unsigned int mappings, u64 bytes, u64 ns),
	    TP_ARGS(mappings, bytes, ns),
	    TP_STRUCT__entry(__field(unsigned int, mappings)
			     __field(u64, bytes)
			     __field(u64, ns)),
	    TP_fast_assign(__entry->mappings = mappings;
			   __entry->bytes = bytes;
			   __entry->ns = ns;),
	    TP_printk("mappings=%u bytes=%llu ns=%llu", __entry->mappings,
		      __entry->bytes, __entry->ns));

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../../drivers/gpu/drm/msm
#include <trace/define_trace.h>
